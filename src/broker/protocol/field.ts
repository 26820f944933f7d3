/**
 * What Kafka's messages are declared with: each message once, as plain data, every field with the versions that have it, in
 * Kafka's own notation, so that a table can be compared with Kafka's at sight. The TypeScript types of what is read and
 * written follow from the declaration, and so does the codec of every version (`message-codec.ts`).
 */
import type { VersionText } from './version-range.ts'

/** The types of single values; what each is in TypeScript. */
export interface Primitives {
  readonly bool: boolean
  readonly int8: number
  readonly int16: number
  readonly uint16: number
  readonly int32: number
  /** Offsets, timestamps and ids, checked to be exact as a number. */
  readonly int64: number
  readonly float64: number
  readonly string: string
  /** Read as a view of the message. */
  readonly bytes: Uint8Array
  /** As Kafka prints it: 22 characters of base64url. */
  readonly uuid: string
  /** Record batches. Read as a view of the message; written from any number of pieces, which are passed on without being copied. */
  readonly records: Uint8Array
}

export type Primitive = keyof Primitives

/** A single value, an array of another type in brackets, or a struct. */
export type WireType = Primitive | readonly [WireType] | Fields

export interface FieldOptions {
  /** The versions in which it may be null. */
  readonly nullable?: VersionText
  /** Where it is among the tagged fields at the end of its struct. */
  readonly tag?: number
  /** The versions in which it is a tagged field. */
  readonly tagged?: VersionText
  /** What reading gives where the version does not have it, and writing where it is left out. Default: 0, false, '', no elements. */
  readonly default?: number | string | boolean | null
}

export type Field = readonly [type: WireType, versions: VersionText, options?: FieldOptions]

export interface Fields {
  readonly [name: string]: Field
}

type OrNull<F extends Field> = F[2] extends { readonly nullable: VersionText } ? null : never

/** What reading a struct gives: every field, whatever the version. */
export type ReadOf<F extends Fields> = { readonly [N in keyof F]: ReadType<F[N][0]> | OrNull<F[N]> }
type ReadType<T> = T extends 'bytes' | 'records'
  ? Buffer
  : T extends Primitive
    ? Primitives[T]
    : T extends readonly [infer E]
      ? readonly ReadType<E>[]
      : T extends Fields
        ? ReadOf<T>
        : never

/** A field may be left out when writing where it has a default of its own, or some versions do not have it; and nobody is throttled unless a response says so. */
type OptionalNames<F extends Fields> = {
  [N in keyof F]: N extends 'throttleTimeMs'
    ? N
    : F[N][2] extends { readonly default: unknown } | { readonly tag: number }
      ? N
      : F[N][1] extends '0+'
        ? never
        : N
}[keyof F]
/** What writing a struct takes. */
export type WriteOf<F extends Fields> = {
  readonly [N in Exclude<keyof F, OptionalNames<F>>]: WriteType<F[N][0]> | OrNull<F[N]>
} & { readonly [N in OptionalNames<F>]?: WriteType<F[N][0]> | OrNull<F[N]> }
type WriteType<T> = T extends 'records'
  ? Uint8Array | readonly Uint8Array[]
  : T extends Primitive
    ? Primitives[T]
    : T extends readonly [infer E]
      ? readonly WriteType<E>[]
      : T extends Fields
        ? WriteOf<T>
        : never

/** The id that stands for none. */
export const zeroUuid = 'AAAAAAAAAAAAAAAAAAAAAA'
