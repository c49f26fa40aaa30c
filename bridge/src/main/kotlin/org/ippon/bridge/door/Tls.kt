package org.ippon.bridge.door

import org.ippon.bridge.BadConfig
import org.ippon.bridge.Config
import org.ippon.bridge.TlsFiles
import java.io.IOException
import java.nio.file.Files
import java.security.GeneralSecurityException
import java.security.KeyStore
import javax.net.ssl.KeyManagerFactory
import javax.net.ssl.SSLContext

/** The TLS of the HTTP door. @throws BadConfig when the keystore cannot be opened. */
fun tlsContext(files: TlsFiles): SSLContext = try {
    Config.checkPrivate(files.keystore)
    Config.checkPrivate(files.passwordFile)
    val password = Files.readAllBytes(files.passwordFile).toString(Charsets.UTF_8).trim().toCharArray()
    val keystore = KeyStore.getInstance("PKCS12").also { store -> Files.newInputStream(files.keystore).use { store.load(it, password) } }
    val keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm()).also { it.init(keystore, password) }
    SSLContext.getInstance("TLS").also { it.init(keys.keyManagers, null, null) }
} catch (e: GeneralSecurityException) {
    throw BadConfig("The keystore ${files.keystore} cannot be used: ${e.message}")
} catch (e: IOException) {
    throw BadConfig("The keystore ${files.keystore} cannot be opened: ${e.message}")
}
