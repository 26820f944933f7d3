import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { ByteWriter } from '../bytes/byte-writer.ts'
import { messageOf } from '../errors.ts'
import { jsonSerde } from './json-serde.ts'
import type { Serde } from './serde.ts'
import { describeValue, unreadable, unwritable } from './serde-failure.ts'

type Input<S extends StandardSchemaV1> = StandardSchemaV1.InferInput<S>
type Output<S extends StandardSchemaV1> = StandardSchemaV1.InferOutput<S>

export interface ValidatedJsonOptions<S extends StandardSchemaV1> {
  /** Turns a value back into what the schema reads, before it is written as JSON. Default: the value is written as it is. */
  readonly toInput?: (value: Output<S>) => Input<S>
}

/** A schema that turns what it reads into something it could not read again needs the way back, because state and topics are read again. */
export type ValidatedJsonArguments<S extends StandardSchemaV1> =
  Output<S> extends Input<S>
    ? [options?: ValidatedJsonOptions<S>]
    : [options: ValidatedJsonOptions<S> & { readonly toInput: (value: Output<S>) => Input<S> }]

/** How many of a value's faults an error names. */
const namedIssues = 3

const json = jsonSerde<unknown>()

/**
 * JSON text in UTF-8, each value of which is checked when it is read by a schema of any Standard Schema library (zod, valibot,
 * arktype): what is read has the schema's output type. Values are not checked when they are written: the compiler does that.
 * Schemas that validate asynchronously are refused with SERDE_FAILED, because records are processed without waiting.
 */
export function validatedJsonSerde<S extends StandardSchemaV1>(
  schema: S,
  options: ValidatedJsonOptions<S> = {},
): Serde<Output<S>> {
  return new ValidatedJsonSerde(schema, options)
}

class ValidatedJsonSerde<S extends StandardSchemaV1> implements Serde<Output<S>> {
  readonly name: string
  readonly #validate: (value: unknown) => ReturnType<S['~standard']['validate']>
  readonly #toInput: ((value: Output<S>) => Input<S>) | undefined

  constructor(schema: S, options: ValidatedJsonOptions<S>) {
    const { vendor, validate } = schema['~standard']
    this.name = `json (${vendor})`
    this.#validate = validate as (value: unknown) => ReturnType<S['~standard']['validate']>
    this.#toInput = options.toInput
  }

  write(value: Output<S>, out: ByteWriter): void {
    json.write(this.#toInput === undefined ? value : this.#inputOf(value, this.#toInput), out)
  }

  read(bytes: Buffer, start: number, end: number): Output<S> {
    const value = json.read(bytes, start, end)
    const result = this.#check(value)
    if (result instanceof Promise) {
      result.catch(() => {})
      throw unreadable(this.name, 'the schema validates asynchronously, and records are processed without waiting')
    }
    if (result.issues !== undefined) throw unreadable(this.name, faultsOf(value, result.issues))
    return result.value as Output<S>
  }

  #check(value: unknown): StandardSchemaV1.Result<unknown> | Promise<StandardSchemaV1.Result<unknown>> {
    try {
      return this.#validate(value)
    } catch (error) {
      throw unreadable(this.name, messageOf(error), error)
    }
  }

  #inputOf(value: Output<S>, toInput: (value: Output<S>) => Input<S>): Input<S> {
    try {
      return toInput(value)
    } catch (error) {
      throw unwritable(this.name, messageOf(error), error)
    }
  }
}

function faultsOf(value: unknown, issues: readonly StandardSchemaV1.Issue[]): string {
  const named = issues.slice(0, namedIssues).map((issue) => {
    const path = (issue.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part)).join('.')
    return path === '' ? issue.message : `${path}: ${issue.message}`
  })
  const more = issues.length > namedIssues ? ` and ${issues.length - namedIssues} more` : ''
  return `${describeValue(value)} is not what the schema allows (${named.join('; ')}${more})`
}
