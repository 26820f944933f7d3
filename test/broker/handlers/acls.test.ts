import { afterEach, describe, expect, it } from 'vitest'
import { createAcls } from '../../../src/broker/protocol/messages/create-acls.ts'
import { deleteAcls } from '../../../src/broker/protocol/messages/delete-acls.ts'
import { describeAcls } from '../../../src/broker/protocol/messages/describe-acls.ts'
import { metadata } from '../../../src/broker/protocol/messages/metadata.ts'
import { type SecuredBroker, secureBroker } from '../guards/secured-broker.ts'

const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

async function secured(...words: Parameters<typeof secureBroker>): Promise<SecuredBroker> {
  const served = await secureBroker(...words)
  closers.push(served.close)
  return served
}

const readOrders = {
  ...{ resourceType: 2, resourceName: 'orders', resourcePatternType: 3, principal: 'User:alice' },
  ...{ host: '*', operation: 3, permissionType: 3 },
}
const anything = {
  ...{ resourceTypeFilter: 1, resourceNameFilter: null, patternTypeFilter: 1, principalFilter: null },
  ...{ hostFilter: null, operation: 1, permissionType: 1 },
}

describe('rules over the protocol', () => {
  it('are made once, told by resource, taken away by filters, and are there after a restart', async () => {
    const served = await secured()
    await served.broker.createTopics([{ name: 'orders', partitions: 1 }])
    const admin = await served.login('admin')
    const denied = { ...readOrders, principal: 'User:bob', permissionType: 2 }
    const prefixed = { ...readOrders, resourceName: 'ord', resourcePatternType: 4 }
    const creations = [readOrders, readOrders, denied, prefixed]
    for (let twice = 0; twice < 2; twice++) {
      const { results } = await admin.request(createAcls, 3, { creations })
      expect(results).toEqual(creations.map(() => ({ errorCode: 0, errorMessage: null })))
    }
    const alice = await served.login('alice')
    const asked = { topics: [{ name: 'orders' }], allowAutoTopicCreation: false }
    expect((await alice.request(metadata, 9, asked)).topics[0]?.errorCode).toBe(0)
    const all = await admin.request(describeAcls, 3, anything)
    expect(all.resources).toMatchObject([
      {
        resourceName: 'orders',
        patternType: 3,
        acls: [{ principal: 'User:alice' }, { principal: 'User:bob', permissionType: 2 }],
      },
      { resourceName: 'ord', patternType: 4, acls: [{ principal: 'User:alice' }] },
    ])

    const filters = [
      { ...anything, patternTypeFilter: 2, resourceNameFilter: 'orders', principalFilter: 'User:alice' },
      { ...anything, resourceNameFilter: 'none' },
    ]
    const { filterResults } = await admin.request(deleteAcls, 3, { filters })
    expect(filterResults.map(({ matchingAcls }) => matchingAcls.map((one) => one.resourceName))).toEqual([
      ['orders', 'ord'],
      [],
    ])
    expect((await alice.request(metadata, 9, asked)).topics[0]?.errorCode).toBe(29)

    await served.close()
    closers.length = 0
    const again = await secured({ superUsers: ['User:admin'] }, served.environment.disk)
    const left = await (await again.login('admin')).request(describeAcls, 1, anything)
    expect(left.resources).toMatchObject([{ resourceName: 'orders', acls: [{ principal: 'User:bob' }] }])
    expect(left.resources).toHaveLength(1)
  })

  it.each([
    [{ resourceType: 0 }],
    [{ resourceType: 1 }],
    [{ resourceType: 9 }],
    [{ resourcePatternType: 1 }],
    [{ resourcePatternType: 2 }],
    [{ operation: 0 }],
    [{ operation: 1 }],
    [{ operation: 99 }],
    [{ permissionType: 1 }],
    [{ resourceName: '' }],
    [{ resourceType: 4, resourceName: 'my-cluster' }],
    [{ principal: 'alice' }],
    [{ principal: 'User:' }],
    [{ host: '' }],
  ])('are refused with %j, and others are made', async (change) => {
    const served = await secured()
    const admin = await served.login('admin')
    const { results } = await admin.request(createAcls, 2, { creations: [{ ...readOrders, ...change }, readOrders] })
    expect(results.map(({ errorCode }) => errorCode)).toEqual([42, 0])
    expect(served.broker.topics.rules.size).toBe(1)
  })

  it.each([{ resourceTypeFilter: 0 }, { patternTypeFilter: 0 }, { operation: 0 }, { permissionType: 0 }])(
    'are not found by a filter with %j',
    async (change) => {
      const admin = await (await secured()).login('admin')
      expect((await admin.request(describeAcls, 2, { ...anything, ...change })).errorCode).toBe(42)
      const { filterResults } = await admin.request(deleteAcls, 2, { filters: [{ ...anything, ...change }] })
      expect(filterResults[0]?.errorCode).toBe(42)
    },
  )

  it('are not there where everybody may do everything', async () => {
    const served = await secureBroker('none')
    closers.push(served.close)
    const client = await served.login('alice')
    expect((await client.request(describeAcls, 2, anything)).errorCode).toBe(54)
    expect((await client.request(createAcls, 2, { creations: [readOrders] })).results[0]?.errorCode).toBe(54)
    expect((await client.request(deleteAcls, 2, { filters: [anything] })).filterResults[0]?.errorCode).toBe(54)
    expect((await client.request(metadata, 9, { topics: [] })).brokers).toHaveLength(1)
  })
})
