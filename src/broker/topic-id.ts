import type { Random } from '../env/environment.ts'

/** A random UUID as Kafka writes its ids: base64url of the 16 bytes, 22 characters, never beginning with a dash. */
export function randomId(random: Random): string {
  for (;;) {
    const id = Buffer.from(random.uuid().replaceAll('-', ''), 'hex').toString('base64url')
    if (!id.startsWith('-')) return id
  }
}

export function idToBytes(id: string): Buffer {
  return Buffer.from(id, 'base64url')
}

export function idFromBytes(bytes: Buffer, start: number): string {
  return bytes.toString('base64url', start, start + 16)
}
