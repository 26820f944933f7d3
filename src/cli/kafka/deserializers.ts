import { MillraceError } from '../../errors.ts'
import { invalid } from './client-options.ts'

/** What is printed of the bytes of a key, a value or a header. */
export type Deserializer = (bytes: Buffer) => Buffer

interface Numeric {
  readonly size: number
  readonly read: (bytes: Buffer) => number | bigint
  readonly hasFraction?: true
}

/** Numbers are big-endian, as Kafka's serializers write them. */
const numerics: Readonly<Record<string, Numeric>> = {
  ShortDeserializer: { size: 2, read: (bytes) => bytes.readInt16BE() },
  IntegerDeserializer: { size: 4, read: (bytes) => bytes.readInt32BE() },
  LongDeserializer: { size: 8, read: (bytes) => bytes.readBigInt64BE() },
  FloatDeserializer: { size: 4, read: (bytes) => Number(bytes.readFloatBE().toPrecision(8)), hasFraction: true },
  DoubleDeserializer: { size: 8, read: (bytes) => bytes.readDoubleBE(), hasFraction: true },
}
const asTheyAre = ['StringDeserializer', 'ByteArrayDeserializer', 'BytesDeserializer']

export const deserializerNames: readonly string[] = [...asTheyAre, ...Object.keys(numerics)]

/**
 * By the name of Kafka's class, with its package or without.
 * @throws MillraceError INVALID_ARGUMENT
 */
export function deserializer(className: string = 'StringDeserializer'): Deserializer {
  const name = className.replace(/^org\.apache\.kafka\.common\.serialization\./, '')
  if (asTheyAre.includes(name)) return (bytes) => bytes
  if (!Object.hasOwn(numerics, name))
    throw invalid(`'${className}' is not a deserializer`, `There are ${deserializerNames.join(', ')}.`)
  const numeric = numerics[name] as Numeric
  return (bytes) => Buffer.from(textOf(bytes, name, numeric))
}

/** As Java prints the number, but for its exponents. */
function textOf(bytes: Buffer, name: string, { size, read, hasFraction }: Numeric): string {
  if (bytes.length !== size) {
    throw new MillraceError('SERDE_FAILED', `${name} needs ${size} bytes, and there are ${bytes.length}`, {
      remedy: 'Name the deserializer of what was written.',
    })
  }
  const value = read(bytes)
  return hasFraction === true && Number.isInteger(value) ? `${value}.0` : String(value)
}
