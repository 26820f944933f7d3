import { type Broker, openBroker } from '../../../src/broker/broker.ts'
import type { BrokerSettings } from '../../../src/broker/broker-settings.ts'
import { handlersOf } from '../../../src/broker/handlers/handlers.ts'
import {
  type BrokerServer,
  type BrokerServerOptions,
  listenForClients,
} from '../../../src/broker/server/broker-server.ts'
import { BufferPool } from '../../../src/bytes/buffer-pool.ts'
import type { MemoryDisk } from '../../../src/env/memory-disk.ts'
import { type VirtualEnvironment, virtualEnvironment } from '../../../src/env/virtual-environment.ts'
import { ProtocolClient } from './protocol-client.ts'

/** A broker on a port of a virtual network. */
export interface ServedBroker {
  readonly environment: VirtualEnvironment
  readonly broker: Broker
  readonly server: BrokerServer
  /** What connections were ended for. */
  readonly errors: unknown[]
  connect(): Promise<ProtocolClient>
  close(): Promise<void>
}

/** Whoever looks into a buffer that was given back is to notice. */
class ScribblingPool extends BufferPool {
  override give(buffer: Buffer): void {
    Buffer.from(buffer.buffer).fill(0xdb)
    super.give(buffer)
  }
}

export async function serveBroker(
  options: Partial<BrokerServerOptions> = {},
  disk?: MemoryDisk,
  settings: Partial<BrokerSettings> = {},
): Promise<ServedBroker> {
  const environment = virtualEnvironment(disk === undefined ? { seed: 1 } : { seed: 1, disk })
  const broker = await openBroker({ directory: 'data', environment, flush: 'fsync', settings })
  const errors: unknown[] = []
  const server = await listenForClients({
    environment,
    listeners: [{ host: 'localhost', port: 9092 }],
    handlers: handlersOf(broker),
    buffers: new ScribblingPool(1 << 24),
    onConnectionError: (error) => errors.push(error),
    ...options,
  })
  const close = async (): Promise<void> => {
    await server.close()
    await broker.close()
  }
  return {
    environment,
    broker,
    server,
    errors,
    connect: () => ProtocolClient.connect(environment.network, server.address),
    close,
  }
}
