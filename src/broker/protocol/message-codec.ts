import type { Field, Fields, Primitive, ReadOf, WireType, WriteOf } from './field.ts'
import { zeroUuid } from './field.ts'
import { malformed } from './malformed-message.ts'
import { arrayCodec, type Codec, nullableStruct, primitiveCodec } from './type-codecs.ts'
import { includesVersion, versionRange } from './version-range.ts'
import type { WireReader } from './wire-reader.ts'
import { WireWriter } from './wire-writer.ts'

/** Reads and writes one message in one version. */
export interface MessageCodec<F extends Fields> {
  /** @throws MillraceError MALFORMED_MESSAGE */
  read(reader: WireReader): ReadOf<F>
  write(writer: WireWriter, value: WriteOf<F>): void
}

interface FieldCodec {
  readonly name: string
  readonly codec: Codec
  /** The value where it is not in the message. */
  readonly default: unknown
}

interface TaggedCodec extends FieldCodec {
  readonly tag: number
}

const emptyArray: readonly never[] = Object.freeze([])
const emptyBytes = Buffer.alloc(0)

/** Puts the codec of a version together from a declaration; done once for each version. */
export function messageCodec<F extends Fields>(fields: F, version: number, flexible: boolean): MessageCodec<F> {
  return new StructCodec(fields, version, flexible) as unknown as MessageCodec<F>
}

/**
 * The fields of a struct in the order of their declaration, and in flexible versions the tagged ones behind them. Tagged
 * fields that are not known are skipped, as KIP-482 asks; those that have their default are not written.
 */
class StructCodec implements Codec {
  readonly minSize: number
  readonly #flexible: boolean
  readonly #fields: readonly FieldCodec[]
  readonly #tagged: readonly TaggedCodec[]
  /** What is not in the message of this version, and the tagged fields until they are met. */
  readonly #defaults: readonly (readonly [name: string, value: unknown])[]

  constructor(declared: Fields, version: number, flexible: boolean) {
    this.#flexible = flexible
    const fields: FieldCodec[] = []
    const tagged: TaggedCodec[] = []
    const defaults: [string, unknown][] = []
    for (const [name, field] of Object.entries(declared)) {
      const { isPresent, isTagged } = placeOf(field, version)
      const one = { name, codec: codecOf(field, version, flexible), default: defaultOf(field, version, flexible) }
      if (isPresent && !isTagged) fields.push(one)
      else defaults.push([name, one.default])
      if (isPresent && isTagged) tagged.push({ ...one, tag: field[2]?.tag as number })
    }
    this.#fields = fields
    this.#tagged = tagged.sort((a, b) => a.tag - b.tag)
    this.#defaults = defaults
    this.minSize = fields.reduce((sum, { codec }) => sum + codec.minSize, flexible ? 1 : 0)
  }

  read(reader: WireReader): Record<string, unknown> {
    const value: Record<string, unknown> = {}
    for (const { name, codec } of this.#fields) value[name] = codec.read(reader)
    for (const [name, byDefault] of this.#defaults) value[name] = byDefault
    if (this.#flexible) this.#readTagged(reader, value)
    return value
  }

  write(writer: WireWriter, value: unknown): void {
    const given = value as Readonly<Record<string, unknown>>
    for (const field of this.#fields) {
      const own = given[field.name]
      field.codec.write(writer, own === undefined ? field.default : own)
    }
    if (this.#flexible) this.#writeTagged(writer, given)
  }

  isDefault(value: unknown): boolean {
    const given = value as Readonly<Record<string, unknown>>
    return [...this.#fields, ...this.#tagged].every((field) => isDefault(field, given[field.name]))
  }

  #readTagged(reader: WireReader, value: Record<string, unknown>): void {
    const count = reader.unsignedVarint()
    if (count > reader.remaining / 2) throw malformed(`${count} tagged fields do not fit ${reader.remaining} bytes`)
    for (let i = 0; i < count; i++) {
      const tag = reader.unsignedVarint()
      const size = reader.unsignedVarint()
      const end = reader.take(size) + size
      const known = this.#tagged.find((field) => field.tag === tag)
      if (known === undefined) continue
      reader.position = end - size
      value[known.name] = known.codec.read(reader)
      if (reader.position !== end) throw malformed(`the tagged field '${known.name}' does not fill its ${size} bytes`)
    }
  }

  #writeTagged(writer: WireWriter, given: Readonly<Record<string, unknown>>): void {
    const present = this.#tagged.filter((field) => !isDefault(field, given[field.name]))
    writer.unsignedVarint(present.length)
    for (const { name, tag, codec } of present) {
      const content = new WireWriter(64)
      codec.write(content, given[name])
      writer.unsignedVarint(tag)
      writer.unsignedVarint(content.size)
      for (const piece of content.pieces()) writer.raw(piece)
    }
  }
}

function placeOf([, versions, options]: Field, version: number): { isPresent: boolean; isTagged: boolean } {
  const isTagged = options?.tagged !== undefined && includesVersion(versionRange(options.tagged), version)
  return { isPresent: includesVersion(versionRange(versions), version), isTagged }
}

function codecOf([type, , options]: Field, version: number, flexible: boolean): Codec {
  const nullable = options?.nullable !== undefined && includesVersion(versionRange(options.nullable), version)
  const codec = codecOfType(type, version, flexible, nullable)
  return codec instanceof StructCodec && nullable ? nullableStruct(codec) : codec
}

function codecOfType(type: WireType, version: number, flexible: boolean, nullable: boolean): Codec {
  if (typeof type === 'string') return primitiveCodec(type, flexible, nullable)
  if (isArray(type)) return arrayCodec(codecOfType(type[0], version, flexible, false), flexible, nullable)
  return new StructCodec(type, version, flexible)
}

function isArray(type: WireType): type is readonly [WireType] {
  return Array.isArray(type)
}

function defaultOf([type, , options]: Field, version: number, flexible: boolean): unknown {
  if (options?.default !== undefined) return options.default
  if (typeof type === 'string') return primitiveDefault(type)
  if (isArray(type)) return emptyArray
  const fields = Object.entries(type).map(([name, field]) => [name, defaultOf(field, version, flexible)] as const)
  return Object.freeze(Object.fromEntries(fields))
}

function primitiveDefault(type: Primitive): unknown {
  switch (type) {
    case 'bool':
      return false
    case 'string':
      return ''
    case 'uuid':
      return zeroUuid
    case 'bytes':
    case 'records':
      return emptyBytes
    default:
      return 0
  }
}

function isDefault(field: FieldCodec, value: unknown): boolean {
  if (value === undefined || value === field.default) return true
  if (value === null || field.default === null) return false
  if (field.codec instanceof StructCodec) return field.codec.isDefault(value)
  return Array.isArray(field.default) || field.default === emptyBytes
    ? (value as ArrayLike<unknown>).length === 0
    : false
}
