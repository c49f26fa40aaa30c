package org.ippon.bridge.door

import java.io.FilterInputStream
import java.io.IOException
import java.io.InputStream
import java.net.InetAddress
import java.net.ServerSocket
import java.net.Socket
import java.util.concurrent.atomic.AtomicInteger
import javax.net.ServerSocketFactory

/** Server sockets of which at most [maxConnections] are open at a time, and none takes a line of more than [maxLineBytes] (py4j itself knows no limits). */
class LimitedSockets(private val maxConnections: Int, maxLineBytes: Int) : ServerSocketFactory() {
    // A JSON text grows when py4j escapes it: every quote and line break by a backslash.
    private val maxLine = 2L * maxLineBytes + SPARE_BYTES
    private val open = AtomicInteger()

    override fun createServerSocket(): ServerSocket = Limited()
    override fun createServerSocket(port: Int): ServerSocket = throw UnsupportedOperationException()
    override fun createServerSocket(port: Int, backlog: Int): ServerSocket = throw UnsupportedOperationException()
    override fun createServerSocket(port: Int, backlog: Int, address: InetAddress?): ServerSocket = throw UnsupportedOperationException()

    private inner class Limited : ServerSocket() {
        override fun accept(): Socket {
            while (true) {
                val socket = LimitedSocket()
                implAccept(socket)
                if (open.incrementAndGet() <= maxConnections) return socket
                socket.close()
            }
        }
    }

    private inner class LimitedSocket : Socket() {
        private var counted = true
        private val limited by lazy { Lines(super.getInputStream()) }

        override fun getInputStream(): InputStream = limited

        @Synchronized
        override fun close() {
            // Java closes sockets more than once.
            if (counted) open.decrementAndGet()
            counted = false
            super.close()
        }
    }

    private inner class Lines(source: InputStream) : FilterInputStream(source) {
        private var length = 0L

        override fun read(): Int = super.read().also { if (it >= 0) count(it.toByte()) }

        override fun read(bytes: ByteArray, offset: Int, size: Int): Int = super.read(bytes, offset, size).also { read ->
            for (index in offset until offset + read) count(bytes[index])
        }

        private fun count(byte: Byte) {
            length = if (byte == '\n'.toByte()) 0 else length + 1
            if (length > maxLine) throw IOException("A line of a py4j request has more than $maxLine bytes.")
        }
    }

    private companion object {
        const val SPARE_BYTES = 1024
    }
}
