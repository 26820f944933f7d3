import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { RequestContext } from '../../../src/broker/handlers/handler.ts'
import { handleProduce } from '../../../src/broker/handlers/produce.ts'
import { produce } from '../../../src/broker/protocol/messages/produce.ts'
import { ClientSession } from '../../../src/broker/security/client-session.ts'
import { BufferLoan } from '../../../src/bytes/buffer-loan.ts'
import { BufferPool } from '../../../src/bytes/buffer-pool.ts'
import { batchOf } from '../records.ts'
import type { ProtocolClient } from '../server/protocol-client.ts'
import { type ServedBroker, serveBroker } from '../server/served-broker.ts'

const partitions = 30
const last = partitions - 1

let served: ServedBroker
let client: ProtocolClient
beforeEach(async () => {
  served = await serveBroker()
  await served.broker.createTopics([{ name: 't', partitions }])
  client = await served.connect()
})
afterEach(() => served.close())

/** From here on each batch takes longer than a request may have at a time. */
function slowDown(): void {
  const { clock } = served.environment
  let passedMs = clock.monotonicMs()
  vi.spyOn(clock, 'monotonicMs').mockImplementation(() => {
    passedMs += 10
    return passedMs
  })
}

function requestOf(indexes: readonly number[], value: string, acks = -1) {
  const partitionData = indexes.map((index) => ({ index, records: batchOf(value) }))
  return { transactionalId: null, acks, timeoutMs: 1_000, topicData: [{ name: 't', partitionData }] }
}

const all = Array.from({ length: partitions }, (_, index) => index)
const endOf = (index: number): number => served.broker.log('t', index).logEndOffset

async function turnsUntil(isSo: () => boolean): Promise<void> {
  for (let turn = 0; !isSo(); turn++) {
    expect(turn).toBeLessThan(1_000)
    await served.environment.timers.nextTurn()
  }
}

describe('an append to many partitions that takes long', () => {
  it('lets others have their turn, and is answered as a whole', async () => {
    slowDown()
    const other = await served.connect()
    const answers = client.request(produce, 9, requestOf(all, 'many'))
    await turnsUntil(() => endOf(1) > 0)
    const between = await other.request(produce, 9, requestOf([last], 'one'))
    expect(between.responses[0]?.partitionResponses).toMatchObject([{ index: last, errorCode: 0, baseOffset: 0 }])
    const { responses } = await answers
    const expected = all.map((index) => ({ index, errorCode: 0, baseOffset: index === last ? 1 : 0 }))
    expect(responses).toMatchObject([{ name: 't', partitionResponses: expected }])
  })

  it('comes before what the same client sends behind it, whatever that asks for', async () => {
    slowDown()
    const answers = [
      client.request(produce, 9, requestOf(all, 'many')),
      client.request(produce, 9, requestOf([last], 'one')),
      client.request(produce, 9, requestOf([last, 0], 'two')),
    ]
    const offsets = (await Promise.all(answers)).map(
      ({ responses }) => responses[0]?.partitionResponses.find(({ index }) => index === last)?.baseOffset,
    )
    expect(offsets).toEqual([0, 1, 2])
    // Nothing of it is left: what is short is appended at once again.
    vi.restoreAllMocks()
    client.send(produce, 9, requestOf([last], 'three', 0))
    await turnsUntil(() => endOf(last) === 4)
  })

  it('goes on where nobody wants an answer, and ends where the client is lost', async () => {
    slowDown()
    client.send(produce, 9, requestOf(all, 'many', 0))
    await turnsUntil(() => endOf(last) === 1)
    client.send(produce, 9, requestOf(all, 'many', 0))
    await turnsUntil(() => endOf(1) === 2)
    client.connection.destroy()
    for (let turn = 0; turn < 200; turn++) await served.environment.timers.nextTurn()
    expect(endOf(last)).toBe(1)
    expect(served.errors).toEqual([])
  })
})

describe('appends one after the other', () => {
  let append: (session: ClientSession) => void
  beforeEach(() => {
    const { handle } = handleProduce(served.broker)
    append = (session) => void handle(requestOf([0], 'one', 0), contextOf(session))
  })

  async function expectOneATurn(from: number, to: number): Promise<void> {
    for (let expected = from; expected <= to; expected++) {
      await turnsUntil(() => endOf(0) >= expected)
      expect(endOf(0)).toBe(expected)
    }
  }

  it('are made at once, but where they take long: then others have their turn after each', async () => {
    const client = new ClientSession(undefined)
    append(client)
    append(client)
    expect(endOf(0)).toBe(2)
    slowDown()
    for (let i = 0; i < 4; i++) append(client)
    append(new ClientSession(undefined))
    expect(endOf(0)).toBe(4)
    await expectOneATurn(5, 7)
    vi.restoreAllMocks()
    append(client)
    expect(endOf(0)).toBe(7)
    await turnsUntil(() => endOf(0) === 8)
    await served.environment.timers.nextTurn()
    append(client)
    append(client)
    expect(endOf(0)).toBe(10)
  })

  it('that take long are made one in a turn, of however many clients', async () => {
    slowDown()
    const clients = Array.from({ length: 5 }, () => new ClientSession(undefined))
    for (const client of clients) append(client)
    expect(endOf(0)).toBe(5)
    for (const client of clients) append(client)
    expect(endOf(0)).toBe(5)
    await expectOneATurn(6, 10)
  })
})

function contextOf(session: ClientSession): RequestContext {
  return {
    ...{ apiVersion: 9, clientId: null, session, principal: session.principal, host: '127.0.0.1' },
    ...{ advertised: { host: 'localhost', port: 9092 }, signal: new AbortController().signal, laterWorkMs: 0 },
    buffers: new BufferLoan(new BufferPool(0)),
  }
}
