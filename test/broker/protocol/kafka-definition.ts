import type { Field, Fields, WireType } from '../../../src/broker/protocol/field.ts'

/** A message as Kafka's own JSON defines it, as far as it says what is on the wire. */
export interface KafkaDefinition {
  readonly apiKey: number
  readonly name: string
  readonly validVersions: string
  readonly flexibleVersions: string
  readonly commonStructs?: readonly { readonly name: string; readonly fields: readonly KafkaField[] }[]
  readonly fields: readonly KafkaField[]
}

interface KafkaField {
  readonly name: string
  readonly type: string
  readonly versions: string
  readonly nullableVersions?: string
  readonly tag?: number
  readonly taggedVersions?: string
  readonly default?: unknown
  readonly fields?: readonly KafkaField[]
}

const primitives = /^(?:bool|u?int\d+|float64|string|bytes|uuid|records)$/

/** Kafka's definition in the notation of our tables, to be compared with one. */
export function fieldsOf(definition: KafkaDefinition): Fields {
  const structs = new Map((definition.commonStructs ?? []).map(({ name, fields }) => [name, fields]))
  const remember = (fields: readonly KafkaField[]): void => {
    for (const { type, fields: own } of fields) {
      if (own === undefined) continue
      structs.set(type.replace('[]', ''), own)
      remember(own)
    }
  }
  remember(definition.fields)
  const convert = (fields: readonly KafkaField[]): Fields =>
    Object.fromEntries(fields.map((field) => [camelCase(field.name), convertField(field)]))
  const convertField = (field: KafkaField): Field => {
    const isArray = field.type.startsWith('[]')
    const element = isArray ? field.type.slice(2) : field.type
    const type: WireType = primitives.test(element) ? (element as WireType) : convert(structs.get(element) ?? [])
    const options = {
      ...(field.nullableVersions === undefined ? {} : { nullable: field.nullableVersions }),
      ...(field.tag === undefined ? {} : { tag: field.tag }),
      ...(field.taggedVersions === undefined ? {} : { tagged: field.taggedVersions }),
      ...defaultOf(field, element),
    }
    const parts = [isArray ? [type] : type, field.versions, ...(Object.keys(options).length === 0 ? [] : [options])]
    return parts as unknown as Field
  }
  return convert(definition.fields)
}

/** Defaults that go without saying are left out, and so is the one that a number cannot hold (a high watermark that is not known). */
function defaultOf(field: KafkaField, element: string): { default?: unknown } {
  const text = field.default === undefined ? undefined : String(field.default)
  if (text === undefined || ['', '0', 'false', '9223372036854775807'].includes(text)) return {}
  if (text === 'null') return { default: null }
  if (element === 'string') return { default: text }
  return { default: element === 'bool' ? text === 'true' : Number(text) }
}

function camelCase(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1)
}
