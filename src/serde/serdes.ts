import type { StandardSchemaV1 } from '@standard-schema/spec'
import { bytesSerde } from './bytes-serde.ts'
import { type Codec, customSerde } from './custom-serde.ts'
import { jsonSerde } from './json-serde.ts'
import { booleanSerde, float64Serde, int32Serde, int64Serde } from './number-serdes.ts'
import type { Serde } from './serde.ts'
import { stringSerde } from './string-serde.ts'
import { type ValidatedJsonArguments, type ValidatedJsonOptions, validatedJsonSerde } from './validated-json-serde.ts'
import {
  sessionWindowedSerde,
  timeWindowedSerde,
  type WindowedSerde,
  type WindowedSerdeOptions,
} from './windowed-serde.ts'

export interface Serdes {
  /** Text as UTF-8. */
  readonly string: Serde<string>
  /** Bytes as they are; what is read is a copy. */
  readonly bytes: Serde<Uint8Array>
  /** A 32-bit integer in four bytes. */
  readonly int32: Serde<number>
  /** A 64-bit integer in eight bytes, as a bigint. */
  readonly int64: Serde<bigint>
  /** A number in eight bytes. */
  readonly float64: Serde<number>
  /** One byte, 0 or 1. */
  readonly boolean: Serde<boolean>
  /** JSON text: `serde.json<Reading>()`. The type is taken on trust. */
  json<T>(): Serde<T>
  /**
   * JSON text checked when it is read by a schema of zod, valibot, arktype or any other Standard Schema library, whose output
   * is the type: `serde.json(z.object({ celsius: z.number() }))`.
   */
  json<S extends StandardSchemaV1>(
    schema: S,
    ...options: ValidatedJsonArguments<S>
  ): Serde<StandardSchemaV1.InferOutput<S>>
  /** A key in a time window: give the windows' `size` to read where they end, which the bytes do not say. */
  windowed<K>(inner: Serde<K>, options?: WindowedSerdeOptions): WindowedSerde<K>
  /** A key in a session. */
  sessionWindowed<K>(inner: Serde<K>): WindowedSerde<K>
  /** Any other format, by two functions. */
  of<T>(codec: Codec<T>): Serde<T>
}

/** The formats there are; each is the one that Kafka's own serde of that name writes. */
export const serde: Serdes = {
  string: stringSerde,
  bytes: bytesSerde,
  int32: int32Serde,
  int64: int64Serde,
  float64: float64Serde,
  boolean: booleanSerde,
  json: anyJsonSerde,
  windowed: timeWindowedSerde,
  sessionWindowed: sessionWindowedSerde,
  of: customSerde,
}

function anyJsonSerde<T>(): Serde<T>
function anyJsonSerde<S extends StandardSchemaV1>(
  schema: S,
  ...options: ValidatedJsonArguments<S>
): Serde<StandardSchemaV1.InferOutput<S>>
function anyJsonSerde(schema?: StandardSchemaV1, options?: ValidatedJsonOptions<StandardSchemaV1>): Serde<unknown> {
  return schema === undefined ? jsonSerde() : validatedJsonSerde(schema, options)
}
