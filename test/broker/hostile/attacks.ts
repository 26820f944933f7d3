import type { Socket } from 'node:net'
import { fetch } from '../../../src/broker/protocol/messages/fetch.ts'
import { metadata } from '../../../src/broker/protocol/messages/metadata.ts'
import { saslHandshake } from '../../../src/broker/protocol/messages/sasl-handshake.ts'
import type { SeededRandom } from '../../../src/env/seeded-random.ts'
import { requestFrame } from '../server/protocol-client.ts'

/** What a hostile client does with a connection that it has just made. */
export interface Attack {
  readonly name: string
  /** The listener: 0 in clear text, 1 with logins. */
  readonly listener: 0 | 1
  readonly begin: (socket: Socket, random: SeededRandom) => void
  /** Done again and again while the connection lives. */
  readonly goOn?: (socket: Socket, random: SeededRandom) => void
}

function bytes(random: SeededRandom, count: number): Buffer {
  return Buffer.from(Array.from({ length: count }, () => random.uint32() % 256))
}

function size(value: number): Buffer {
  const prefix = Buffer.alloc(4)
  prefix.writeInt32BE(value)
  return prefix
}

const known = requestFrame(metadata, 9, 1, { topics: null })
const everything = {
  ...{ replicaId: -1, maxWaitMs: 0, minBytes: 1, isolationLevel: 0 },
  topics: [{ topic: 'orders', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1_000_000 }] }],
}

export const attacks: readonly Attack[] = [
  { name: 'says nothing', listener: 0, begin: () => {} },
  { name: 'says nothing where a login is wanted', listener: 1, begin: () => {} },
  {
    name: 'drips a request byte by byte',
    listener: 0,
    begin: (socket) => socket.write(size(1_000)),
    goOn: (socket) => socket.write(Buffer.from([0])),
  },
  { name: 'announces a huge request', listener: 0, begin: (socket) => socket.write(size(104_857_600)) },
  { name: 'announces an impossible request', listener: 0, begin: (socket) => socket.write(size(-1)) },
  { name: 'sends half a request', listener: 0, begin: (socket) => socket.write(known.subarray(0, 10)) },
  {
    name: 'sends random bytes',
    listener: 0,
    begin: (socket, random) => socket.write(bytes(random, 1 + (random.uint32() % 200))),
  },
  {
    name: 'sends a small size and random bytes',
    listener: 0,
    begin: (socket, random) => socket.write(Buffer.concat([size(64), bytes(random, 64)])),
  },
  { name: 'speaks HTTP', listener: 1, begin: (socket) => socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n') },
  {
    name: 'asks without an end and reads nothing',
    listener: 0,
    begin: (socket) => {
      socket.pause()
      for (let i = 0; i < 20; i++) socket.write(requestFrame(fetch, 11, i, everything))
    },
  },
  {
    name: 'stops in the middle of a login',
    listener: 1,
    begin: (socket) => socket.write(requestFrame(saslHandshake, 1, 1, { mechanism: 'PLAIN' })),
  },
  {
    name: 'asks before it has logged in',
    listener: 1,
    begin: (socket) => socket.write(known),
  },
  {
    name: 'comes and goes at once',
    listener: 0,
    begin: (socket) => {
      socket.write(known)
      socket.destroy()
    },
  },
]
