import { malformed } from './malformed-message.ts'
import type { WireReader } from './wire-reader.ts'

/** The first fields of a request, the same in all versions: which API it is for decides how the rest is read. */
export interface RequestHeader {
  readonly apiKey: number
  readonly apiVersion: number
  /** Chosen by the client; the response bears it. */
  readonly correlationId: number
}

export function readRequestHeader(reader: WireReader): RequestHeader {
  return { apiKey: reader.int16(), apiVersion: reader.int16(), correlationId: reader.int32() }
}

/** The rest of the header: the client's id, which keeps the length of old versions also in flexible ones (KIP-482). */
export function readClientId(reader: WireReader, flexible: boolean): string | null {
  const length = reader.int16()
  if (length < -1) throw malformed(`the length of a client id is ${length}`)
  const clientId = length < 0 ? null : reader.text(length)
  if (flexible) skipTaggedFields(reader)
  return clientId
}

function skipTaggedFields(reader: WireReader): void {
  const count = reader.unsignedVarint()
  if (count > reader.remaining / 2) throw malformed(`${count} tagged fields do not fit ${reader.remaining} bytes`)
  for (let i = 0; i < count; i++) {
    reader.unsignedVarint()
    reader.take(reader.unsignedVarint())
  }
}
