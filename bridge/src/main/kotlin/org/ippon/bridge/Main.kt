package org.ippon.bridge

import org.slf4j.LoggerFactory
import java.io.IOException
import java.nio.file.Paths
import java.time.Clock
import java.util.concurrent.CountDownLatch
import java.util.logging.Level
import java.util.logging.Logger
import kotlin.system.exitProcess

private const val USAGE = "Usage: java -jar ippon-bridge.jar --config FILE"

/** What supervisors wait for on the standard output. */
private const val READY = "Bridge ready"

/** Starts the bridge of one organisation and runs until SIGTERM or SIGINT. */
fun main(args: Array<String>) {
    quietLogs()
    if (args.size != 2 || args[0] != "--config") fail(USAGE)
    val bridge = try {
        Bridge(Config.read(Paths.get(args[1])), Clock.systemUTC()).apply { open() }
    } catch (e: BadConfig) {
        fail(e.message!!)
    } catch (e: IOException) {
        fail("The bridge cannot open its doors: ${e.message}")
    } catch (e: py4j.Py4JNetworkException) {
        fail("The bridge cannot open its py4j door: ${e.message}")
    }
    val ended = CountDownLatch(1)
    Runtime.getRuntime().addShutdownHook(Thread {
        bridge.close()
        ended.countDown()
    })
    println(READY)
    System.out.flush()
    ended.await()
}

/** Corda and Artemis tell much, at DEBUG even keys: warnings only, to the standard error. */
internal fun quietLogs() {
    mapOf("defaultLogLevel" to "warn", "log.org.ippon" to "info", "showDateTime" to "true", "dateTimeFormat" to "yyyy-MM-dd'T'HH:mm:ss.SSSXXX", "logFile" to "System.err")
            .forEach { (name, value) -> setDefault("org.slf4j.simpleLogger.$name", value) }
    // Artemis would find log4j on the class path, and log4j would write to the standard output.
    setDefault("org.jboss.logging.provider", "slf4j")
    Logger.getLogger("").level = Level.WARNING
    // It logs every caller that hangs up as an error.
    Logger.getLogger("py4j").also { keep += it }.level = Level.OFF
    LoggerFactory.getLogger("org.ippon.bridge")
}

// java.util.logging forgets the level of a logger that nobody holds.
private val keep = mutableListOf<Logger>()

private fun setDefault(name: String, value: String) {
    if (System.getProperty(name) == null) System.setProperty(name, value)
}

private fun fail(message: String): Nothing {
    System.err.println(message)
    exitProcess(2)
}
