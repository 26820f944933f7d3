import { afterEach, describe, expect, it } from 'vitest'
import { metadata } from '../../../src/broker/protocol/messages/metadata.ts'
import { refusalOf } from '../../../src/cli/kafka/wire-cluster.ts'
import { WireConnection } from '../../../src/cli/kafka/wire-connection.ts'
import { virtualEnvironment } from '../../../src/env/virtual-environment.ts'

/** What a broker that is none, or a bad one, sends back to each request. */
type Answer = (request: Uint8Array) => Uint8Array | 'end' | undefined

const environments: { cancel: () => void }[] = []
afterEach(() => {
  for (const { cancel } of environments.splice(0)) cancel()
})

async function askedOf(answer: Answer) {
  const environment = virtualEnvironment({ seed: 1 })
  const listener = await environment.network.listen({ host: 'broker', port: 9092 }, (connection) => ({
    onData: (bytes) => {
      const said = answer(bytes)
      if (said === 'end') connection.end()
      else if (said !== undefined) connection.write(said)
    },
    onClose: () => {},
  }))
  environments.push({ cancel: () => void listener.close() })
  const wire = await WireConnection.open(environment, { host: 'broker', port: 9092 }, 'test', undefined)
  const asked = wire.ask(metadata, 1, { topics: [] })
  const settled = asked.then(
    () => 'answered',
    (error: { code: string; message: string }) => `${error.code}: ${error.message}`,
  )
  return { environment, settled }
}

const int32 = (...values: number[]) => {
  const bytes = Buffer.alloc(4 * values.length)
  for (const [i, value] of values.entries()) bytes.writeInt32BE(value, 4 * i)
  return bytes
}

describe('a refusal', () => {
  it("has the cluster's own words, or those of its code where there are none", () => {
    expect(refusalOf(3, '').message).toMatch(/^The cluster answers: unknown topic or partition\. /)
    expect(refusalOf(40, 'No such thing.').message).toBe('The cluster answers: No such thing.')
    expect(refusalOf(31_000).message).toBe('The cluster answers: unknown server error.')
  })
})

describe('what is asked of a bad broker', () => {
  it.each<[string, Answer, RegExp]>([
    ['is given up where the answer is to something else', () => int32(4, 77), /MALFORMED_MESSAGE: .*answer 77/],
    ['is given up where it announces more than any answer has', () => int32(0x7fffffff), /MALFORMED_MESSAGE/],
    ['is given up where a size is below zero', () => int32(-1), /MALFORMED_MESSAGE/],
    ['is given up where a count is more than there are bytes', () => int32(8, 1, 0x7fffffff), /MALFORMED_MESSAGE/],
    ['is given up where the connection ends', () => 'end', /NETWORK_FAILED: .*has ended the connection/],
  ])('%s', async (_, answer, failure) => {
    const { environment, settled } = await askedOf(answer)
    await environment.clock.advanceAsync(100)
    expect(await settled).toMatch(failure)
  })

  it('is given up after half a minute without an answer', async () => {
    const { environment, settled } = await askedOf(() => undefined)
    await environment.clock.advanceAsync(29_000)
    expect(await Promise.race([settled, 'waiting'])).toBe('waiting')
    await environment.clock.advanceAsync(2_000)
    expect(await settled).toMatch(/NETWORK_FAILED: .*no answer to Metadata came/)
  })
})
