import { describe, expect, it } from 'vitest'
import type { Transaction } from '../../../src/broker/transaction/transaction.ts'
import { transcript } from './transcript.ts'

const nearTheLastEpoch: Transaction = {
  status: 'Empty',
  producerId: 7,
  producerEpoch: 32_764,
  previousProducerId: 7,
  nextProducerId: -1,
  lastProducerEpoch: -1,
  timeoutMs: 60_000,
  partitions: [],
  startedMs: -1,
  updatedMs: 0,
  clientVersion: 2,
}

/** Each line: what happens -> what is answered | what is logged. */
function play(text: string, start?: Transaction): void {
  const lines = text.split('\n').map((line) => line.trim())
  expect(transcript(text, start)).toBe(lines.filter((line) => line !== '').join('\n'))
}

describe('a transaction', () => {
  it('raises the epoch at each end, so that an end, a batch or a partition that comes late is refused, and a repeated end is known', () => {
    play(
      `
      init                         -> 100/0 | Empty 100/0
      add orders-0 by=100/0        -> 100/0 | Ongoing 100/0 {orders-0}
      add orders-0,bills-1 by=100/0 -> 100/0 | Ongoing 100/0 {orders-0 bills-1}
      add orders-0 by=100/0        -> 100/0
      commit by=100/0              -> 100/1 | PrepareCommit 100/1 {orders-0 bills-1}
      add orders-0 by=100/1        -> CONCURRENT_TRANSACTIONS
      commit by=100/0              -> CONCURRENT_TRANSACTIONS
      abort by=100/0               -> INVALID_TXN_STATE
      markers                      -> 100/1 | CompleteCommit 100/1
      commit by=100/0              -> 100/1
      abort by=100/0               -> INVALID_TXN_STATE
      add orders-0 by=100/0        -> PRODUCER_FENCED
      add orders-0 by=100/1        -> 100/1 | Ongoing 100/1 {orders-0}
      commit by=100/0              -> PRODUCER_FENCED
      abort by=100/1               -> 100/2 | PrepareAbort 100/2 {orders-0}
      markers                      -> 100/2 | CompleteAbort 100/2
      abort by=100/1               -> 100/2
      commit by=100/1              -> INVALID_TXN_STATE
    `,
    )
  })

  it('of version 2 may be aborted before it has a partition: what is on its way is shut out', () => {
    play(
      `
      init                         -> 100/0 | Empty 100/0
      commit by=100/0              -> INVALID_TXN_STATE
      abort by=100/0               -> 100/1 | PrepareAbort 100/1
      markers                      -> 100/1 | CompleteAbort 100/1
      abort by=100/1               -> 100/2 | PrepareAbort 100/2
      markers                      -> 100/2 | CompleteAbort 100/2
      commit by=100/2              -> INVALID_TXN_STATE
      add orders-0 by=100/2        -> 100/2 | Ongoing 100/2 {orders-0}
    `,
    )
  })

  it('of version 1 keeps the epoch; only the state tells a repeated end from a wrong one', () => {
    play(
      `
      init                         -> 100/0 | Empty 100/0
      commit by=100/0 v1           -> INVALID_TXN_STATE
      add orders-0 by=100/0 v1     -> 100/0 | Ongoing 100/0 {orders-0}
      commit by=100/0 v1           -> 100/0 | PrepareCommit 100/0 {orders-0}
      commit by=100/0 v1           -> CONCURRENT_TRANSACTIONS
      abort by=100/0 v1            -> INVALID_TXN_STATE
      markers                      -> 100/0 | CompleteCommit 100/0
      commit by=100/0 v1           -> 100/0
      abort by=100/0 v1            -> INVALID_TXN_STATE
      add orders-0 by=100/0 v1     -> 100/0 | Ongoing 100/0 {orders-0}
      abort by=100/0 v1            -> 100/0 | PrepareAbort 100/0 {orders-0}
      markers                      -> 100/0 | CompleteAbort 100/0
      abort by=100/0 v1            -> 100/0
    `,
    )
  })

  it('is aborted when another producer takes the id, which gets a later epoch when that is done', () => {
    play(
      `
      init                         -> 100/0 | Empty 100/0
      add orders-0 by=100/0        -> 100/0 | Ongoing 100/0 {orders-0}
      init                         -> CONCURRENT_TRANSACTIONS | PrepareAbort 100/1 {orders-0}
      init                         -> CONCURRENT_TRANSACTIONS
      add orders-1 by=100/0        -> PRODUCER_FENCED
      commit by=100/0              -> INVALID_TXN_STATE
      markers                      -> 100/1 | CompleteAbort 100/1
      init                         -> 100/2 | Empty 100/2
      add orders-0 by=100/1        -> PRODUCER_FENCED
      add orders-0 by=100/2        -> 100/2 | Ongoing 100/2 {orders-0}
      commit by=100/1              -> PRODUCER_FENCED
    `,
    )
  })

  it('that is too old is aborted with a later epoch; its producer may go on from there', () => {
    play(
      `
      init timeout=500             -> 100/0 | Empty 100/0
      add orders-0 by=100/0        -> 100/0 | Ongoing 100/0 {orders-0}
      wait 500                     -> it is 1500
      time-out                     -> 100/0
      wait 1                       -> it is 1501
      time-out                     -> 100/0 | PrepareAbort 100/1 {orders-0}
      commit by=100/0              -> INVALID_TXN_STATE
      markers                      -> 100/1 | CompleteAbort 100/1
      commit by=100/0              -> INVALID_TXN_STATE
      abort by=100/0               -> 100/1
      init as=100/0                -> 100/1 | Empty 100/1
      init as=100/7                -> PRODUCER_FENCED
      init                         -> 100/2 | Empty 100/2
    `,
    )
  })

  it('that uses up the last epoch goes on with a fresh producer id', () => {
    play(
      `
      add orders-0 by=7/32764      -> 7/32764 | Ongoing 7/32764 {orders-0}
      commit by=7/32764            -> 7/32765 | PrepareCommit 7/32765 {orders-0}
      markers                      -> 7/32765 | CompleteCommit 7/32765
      add orders-0 by=7/32765      -> 7/32765 | Ongoing 7/32765 {orders-0}
      commit by=7/32765            -> 7/32766 | PrepareCommit 7/32766 {orders-0}
      markers                      -> 7/32766 | CompleteCommit 7/32766
      add orders-0 by=7/32766      -> 7/32766 | Ongoing 7/32766 {orders-0}
      commit by=7/32766            -> 100/0 | PrepareCommit 7/32767, then 100/0 {orders-0}
      commit by=7/32766            -> CONCURRENT_TRANSACTIONS
      markers                      -> 100/0 | CompleteCommit 100/0
      commit by=7/32766            -> 100/0
      abort by=7/32766             -> INVALID_TXN_STATE
      add orders-0 by=7/32766      -> INVALID_PRODUCER_ID_MAPPING
      add orders-0 by=100/0        -> 100/0 | Ongoing 100/0 {orders-0}
      commit by=7/32766            -> INVALID_PRODUCER_ID_MAPPING
      commit by=100/0              -> 100/1 | PrepareCommit 100/1 {orders-0}
    `,
      nearTheLastEpoch,
    )
  })

  it('with the last epoch can still be fenced', () => {
    play(
      `
      init                         -> 7/32765 | Empty 7/32765
      init                         -> 7/32766 | Empty 7/32766
      add orders-0 by=7/32766      -> 7/32766 | Ongoing 7/32766 {orders-0}
      init                         -> CONCURRENT_TRANSACTIONS | PrepareAbort 7/32767 {orders-0}
      markers                      -> 7/32767 | CompleteAbort 7/32767
      init                         -> 100/0 | Empty 100/0
    `,
      nearTheLastEpoch,
    )
  })

  it('with the last epoch can still time out', () => {
    play(
      `
      init timeout=500             -> 7/32765 | Empty 7/32765
      init timeout=500             -> 7/32766 | Empty 7/32766
      add orders-0 by=7/32766      -> 7/32766 | Ongoing 7/32766 {orders-0}
      wait 600                     -> it is 1600
      time-out                     -> 7/32766 | PrepareAbort 7/32767 {orders-0}
      markers                      -> 7/32767 | CompleteAbort 7/32767
      abort by=7/32766             -> PRODUCER_FENCED
      add orders-0 by=7/32767      -> PRODUCER_FENCED
      init as=7/32766              -> 100/0 | Empty 100/0
      init as=7/32766              -> 100/0 | Empty 100/0
      add orders-0 by=100/0        -> 100/0 | Ongoing 100/0 {orders-0}
    `,
      nearTheLastEpoch,
    )
  })
})

describe('a transactional id', () => {
  it('may ask for a later epoch after an error, and ask again where the answer was lost', () => {
    play(
      `
      init                         -> 100/0 | Empty 100/0
      init as=100/0                -> 100/1 | Empty 100/1
      init as=100/0                -> 100/1 | Empty 100/1
      init                         -> 100/2 | Empty 100/2
      init as=100/0                -> PRODUCER_FENCED
      init as=100/1                -> PRODUCER_FENCED
    `,
    )
  })

  it('that has used up its epochs gets a fresh producer id, also where it asks again', () => {
    play(
      `
      init                         -> 7/32765 | Empty 7/32765
      init                         -> 7/32766 | Empty 7/32766
      init as=7/32766              -> 100/0 | Empty 100/0
      init as=7/32766              -> 100/0 | Empty 100/0
      init                         -> 100/1 | Empty 100/1
    `,
      nearTheLastEpoch,
    )
  })

  it('is forgotten when it was not used for long, but not with a transaction open', () => {
    play(
      `
      init                         -> 100/0 | Empty 100/0
      wait 1000                    -> it is 2000
      expire after=2000            -> 100/0
      wait 1000                    -> it is 3000
      expire after=2000            -> 100/0 | forgotten
      add orders-0 by=100/0        -> INVALID_PRODUCER_ID_MAPPING
      init                         -> 101/0 | Empty 101/0
      add orders-0 by=101/0        -> 101/0 | Ongoing 101/0 {orders-0}
      wait 9000                    -> it is 12000
      expire after=2000            -> 101/0
    `,
    )
  })
})
