import type { Fields, ReadOf, WriteOf } from './field.ts'
import type { VersionText } from './version-range.ts'

/** One of Kafka's APIs: its requests and responses in all versions that Kafka 4.1 defines. */
export interface Api {
  readonly key: number
  readonly name: string
  readonly versions: VersionText
  /** The versions with compact lengths and tagged fields (KIP-482). */
  readonly flexible: VersionText
  readonly request: Fields
  readonly response: Fields
}

export type RequestOf<A extends Api> = ReadOf<A['request']>
export type ResponseOf<A extends Api> = WriteOf<A['response']>
