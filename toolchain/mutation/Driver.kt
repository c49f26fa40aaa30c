package org.ippon.test.mutation

import org.junit.Test
import org.junit.runner.JUnitCore
import org.junit.runner.Request
import java.util.Base64

private const val MUTANT = "ippon.mutant"
private const val HIT = "ippon.mutant.hit."

/**
 * Runs single tests of one JVM, told line by line on its standard input, fields parted by tabs:
 *
 * - `list <class>` is answered by the names of the class's tests;
 * - `run <class> <test> <mutant or nothing>` by `green` or `red`, the milliseconds, the checks that failed on the way and were not
 *   switched off or were (ids by commas), and in Base64 what went wrong.
 */
fun main(arguments: Array<String>) {
    val answers = System.out
    // Whatever else is written to standard output must not be taken for an answer.
    System.setOut(System.err)
    for (line in generateSequence(::readLine)) {
        val words = line.split('\t')
        answers.println("@@" + if (words[0] == "list") list(words[1]) else run(words[1], words[2], words[3]))
        answers.flush()
    }
    System.exit(0)
}

private fun list(name: String) = Class.forName(name).methods.filter { it.isAnnotationPresent(Test::class.java) }.map { it.name }.sorted().joinToString("\t")

private fun run(name: String, test: String, mutant: String): String {
    hits().forEach { System.clearProperty(HIT + it) }
    if (mutant.isNotEmpty()) System.setProperty(MUTANT, mutant)
    val result = try {
        JUnitCore().run(Request.method(Class.forName(name), test))
    } finally {
        System.clearProperty(MUTANT)
    }
    val why = result.failures.joinToString("\n") { "${it.description}: ${it.message}" }
    val colour = if (result.wasSuccessful() && result.runCount > 0) "green" else "red"
    return listOf(colour, result.runTime, hits().sorted().joinToString(","), Base64.getEncoder().encodeToString(why.toByteArray())).joinToString("\t")
}

private fun hits() = System.getProperties().stringPropertyNames().filter { it.startsWith(HIT) }.map { it.removePrefix(HIT) }
