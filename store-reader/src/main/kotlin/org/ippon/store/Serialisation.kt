package org.ippon.store

import net.corda.core.serialization.SerializationContext
import net.corda.core.serialization.SerializationContext.UseCase
import net.corda.core.serialization.SerializationFactory
import net.corda.core.serialization.internal.SerializationEnvironment
import net.corda.core.serialization.internal.nodeSerializationEnv
import net.corda.core.transactions.SignedTransaction
import net.corda.core.utilities.ByteSequence
import net.corda.serialization.internal.AMQP_P2P_CONTEXT
import net.corda.serialization.internal.AMQP_STORAGE_CONTEXT
import net.corda.serialization.internal.CordaSerializationMagic
import net.corda.serialization.internal.SerializationFactoryImpl
import net.corda.serialization.internal.amqp.AbstractAMQPSerializationScheme
import net.corda.serialization.internal.amqp.SerializerFactory
import net.corda.serialization.internal.amqp.amqpMagic

/** Reads what a node has stored, with the classes of the contracts on our class path. Nothing is ever verified here. */
object Serialisation {
    private val factory = SerializationFactoryImpl().apply { registerScheme(Scheme) }

    /** The transaction in a row of `node_transactions`, Snappy or not. */
    fun transaction(bytes: ByteArray): SignedTransaction {
        // A transaction reads its parts by the process's own environment.
        if (nodeSerializationEnv == null) {
            nodeSerializationEnv = SerializationEnvironment.with(factory, AMQP_P2P_CONTEXT, storageContext = AMQP_STORAGE_CONTEXT)
        }
        return factory.deserialize(ByteSequence.of(bytes), SignedTransaction::class.java, AMQP_STORAGE_CONTEXT)
    }

    private object Scheme : AbstractAMQPSerializationScheme(emptySet(), emptySet(), mutableMapOf()) {
        override fun canDeserializeVersion(magic: CordaSerializationMagic, target: UseCase) =
                magic == amqpMagic && (target == UseCase.Storage || target == UseCase.P2P)

        override fun rpcClientSerializerFactory(context: SerializationContext): SerializerFactory = throw UnsupportedOperationException("This reads stores, it calls nobody.")

        override fun rpcServerSerializerFactory(context: SerializationContext): SerializerFactory = throw UnsupportedOperationException("This reads stores, it serves nobody.")
    }
}
