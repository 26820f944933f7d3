import type { Environment } from '../env/environment.ts'
import { MemoryDisk } from '../env/memory-disk.ts'
import { MillraceError } from '../errors.ts'
import type { AuthorizerOptions, ListenerOptions, ListenOptions } from '../listener-options.ts'
import type { Cluster } from './cluster.ts'
import type { ClusterEvent } from './cluster-event.ts'
import { type EmbeddedClusterSettings, openEmbeddedCluster } from './embedded-cluster.ts'

export interface ConnectOptions {
  readonly environment: Environment
  /**
   * When an append is acknowledged: `'fsync'` when it is on the device (the default), `'page-cache'` when the operating
   * system has it, so that a power failure may take what was acknowledged. In memory there is nothing to flush.
   */
  readonly flush?: 'fsync' | 'page-cache'
  /** Told what no call tells: torn ends that were cut, damage, a disk that failed. Default: a warning of the process. */
  readonly onEvent?: (event: ClusterEvent) => void
  readonly settings?: Partial<EmbeddedClusterSettings>
  /** Opens the broker to clients of Kafka's protocol: a port of this machine alone, or listeners. Default: it is not. */
  readonly listen?: ListenOptions
  /** Who of these clients may do what. Default: everybody may do everything. */
  readonly authorizer?: AuthorizerOptions
}

const embeddedScheme = 'embedded:'

/**
 * Opens the cluster that an address names: `memory:` for one that lives and dies with this process, `embedded:DIR` for one
 * that keeps its log in a directory.
 * @throws MillraceError INVALID_ARGUMENT, DIRECTORY_LOCKED, DIRECTORY_UNUSABLE, CORRUPT_BATCH, DISK_FULL, STORAGE_FAILED, NETWORK_FAILED
 */
export async function connect(address: string, options: ConnectOptions): Promise<Cluster> {
  const { environment, flush = 'fsync', settings = {} } = options
  const { listen, authorizer, onEvent } = options
  const more = {
    ...(listen !== undefined && { listeners: listenersOf(listen) }),
    ...(authorizer && { authorizer }),
    ...(onEvent && { onEvent }),
  }
  if (address === 'memory:') {
    const inMemory: Environment = { ...environment, disk: new MemoryDisk() }
    return openEmbeddedCluster({
      address,
      directory: 'data',
      environment: inMemory,
      flush: 'page-cache',
      settings,
      ...more,
    })
  }
  const directory = `${address}`.startsWith(embeddedScheme) ? withoutEndSlash(address.slice(embeddedScheme.length)) : ''
  if (directory !== '') return openEmbeddedCluster({ address, directory, environment, flush, settings, ...more })
  throw unknownAddress(address)
}

/** A number alone is a port that only this machine reaches: others are let in by name. */
function listenersOf(listen: ListenOptions): readonly ListenerOptions[] {
  if (typeof listen === 'number') return [{ host: '127.0.0.1', port: listen }]
  return isList(listen) ? listen : [listen]
}

function isList(listen: ListenerOptions | readonly ListenerOptions[]): listen is readonly ListenerOptions[] {
  return Array.isArray(listen)
}

function unknownAddress(address: string): MillraceError {
  const isKafka = `${address}`.startsWith('kafka:')
  const what = isKafka ? 'Connecting to Kafka is not possible yet' : `'${address}' is not the address of a cluster`
  return new MillraceError('INVALID_ARGUMENT', what, {
    remedy: "Use 'memory:' or 'embedded:DIR', as 'embedded:./data'.",
  })
}

function withoutEndSlash(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path
}
