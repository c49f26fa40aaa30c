package org.ippon.test.bridge

import org.assertj.core.api.Assertions.assertThat
import org.assertj.core.api.Assertions.catchThrowable
import org.ippon.bridge.BadConfig
import org.ippon.bridge.Config
import org.ippon.bridge.Role
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.attribute.PosixFilePermissions

private const val GOOD = """{"organisation":"custodian-a","rpc":{"host":"127.0.0.1","port":10241},
"users":{"bridge":{"name":"bridge","password":"secret-b"},"reader":{"name":"reader","password":"secret-r"},"operator":{"name":"operator","password":"secret-o"}},
"http":{"host":"127.0.0.1","port":10245},"py4j":{"host":"127.0.0.1","port":10246},
"tokens":{"agent":"agent-token-0123456","reader":"reader-token-012345","operator":"operator-token-0123"},"py4j_token":"py4j-token-01234567","max_request_bytes":1048576}"""

class ConfigTest {
    @Rule @JvmField val folder = TemporaryFolder()

    private fun file(text: String, rights: String = "rw-------"): Path {
        val path = folder.newFile().toPath()
        Files.write(path, text.toByteArray())
        return Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(rights))
    }

    private fun refused(text: String): String = (catchThrowable { Config.read(file(text)) } as BadConfig).message!!

    @Test
    fun `what the network writes is read`() {
        val config = Config.read(file(GOOD))
        assertThat(config.node.organisation).isEqualTo("custodian-a")
        assertThat(config.users.getValue(Role.READER).toString()).isEqualTo("reader")
        assertThat(config.http.port).isEqualTo(10245)
        assertThat(config.node.rpcTimeoutMillis).isEqualTo(30_000)
        assertThat(config.py4jOperator).isNull()
    }

    @Test
    fun `a file that others may read is refused`() {
        listOf("rw-r-----", "rw----r--", "rw--w----").forEach { rights ->
            assertThat(catchThrowable { Config.read(file(GOOD, rights)) }).isInstanceOf(BadConfig::class.java).hasMessageContaining("chmod 600")
        }
    }

    @Test
    fun `what is wrong is named, and no secret is told`() {
        assertThat(refused(GOOD.replace("10241", "\"10241\""))).contains("rpc.port")
        assertThat(refused(GOOD.replace("agent-token-0123456", "short-tok"))).contains("tokens.agent").doesNotContain("short-tok")
        assertThat(refused(GOOD.replace("\"secret-b\"", "12345678"))).contains("users.bridge.password").doesNotContain("12345678")
        assertThat(refused(GOOD.replace("reader-token-012345", "agent-token-0123456"))).contains("another").doesNotContain("agent-token")
        assertThat(refused(GOOD.replace("max_request_bytes", "max_request_kilobytes"))).contains("max_request_kilobytes")
        assertThat(refused(GOOD.dropLast(1))).doesNotContain("secret").doesNotContain("token-0")
        assertThat(catchThrowable { Config.read(folder.root.toPath().resolve("nowhere")) }).isInstanceOf(BadConfig::class.java)
    }
}
