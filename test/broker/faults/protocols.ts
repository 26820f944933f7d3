import { agedTopic, compactedTopic, type Stage } from './stage.ts'

/** What a broker does with its disk, as scripts: a fault is tried at each of their calls. */
export const protocols: Readonly<Record<string, (stage: Stage) => Promise<void>>> = {
  async 'append, roll and checkpoint'(stage) {
    await stage.open()
    await stage.create('t')
    for (let i = 0; i < 4; i++) {
      await stage.append('t', 3)
      await stage.wait(1_000)
    }
  },

  async 'topics and committed offsets'(stage) {
    await stage.open()
    await stage.create('t')
    await stage.create('u')
    await stage.append('t', 1)
    await stage.groups.commit('g', 3)
    await stage.append('u', 2)
    await stage.append('t', 1)
    await stage.groups.commit('g', 6)
  },

  async 'clean shutdown and restart'(stage) {
    await stage.open()
    await stage.create('t')
    await stage.append('t', 5)
    await stage.close()
    await stage.open()
    await stage.append('t', 5)
    await stage.groups.commit('g', 30)
    await stage.close()
    await stage.open()
    await stage.append('t', 1)
  },

  async 'deletion of records'(stage) {
    await stage.open()
    await stage.create('t')
    await stage.append('t', 8)
    await stage.deleteBefore('t', 10)
    await stage.append('t', 2)
    await stage.deleteBefore('t', 24)
    await stage.wait(120_000)
    await stage.append('t', 2)
    await stage.close()
  },

  async 'deletion of topics'(stage) {
    await stage.open()
    await stage.create('t')
    await stage.create('u')
    await stage.append('t', 4)
    await stage.groups.commit('g', 12, 't')
    await stage.wait(1_000)
    await stage.delete('t')
    await stage.append('u', 1)
    await stage.create('t')
    await stage.append('t', 1)
    await stage.delete('t')
    await stage.wait(120_000)
    await stage.delete('u')
    await stage.close()
    await stage.open()
    await stage.create('u')
  },

  async 'growth and settings of topics'(stage) {
    await stage.open()
    await stage.create('t')
    await stage.append('t', 1)
    await stage.grow('t', 3)
    await stage.configure('t', 'retention.ms', '1000000')
    await stage.configure('t', 'cleanup.policy', 'delete')
    await stage.append('t', 1)
    await stage.close()
    await stage.open()
    await stage.append('t', 1)
  },

  async compaction(stage) {
    await stage.open()
    await stage.create(compactedTopic)
    await stage.append(compactedTopic, 9)
    await stage.compact()
    await stage.append(compactedTopic, 6)
    await stage.compact()
    await stage.wait(120_000)
    await stage.close()
    await stage.open()
    await stage.append(compactedTopic, 2)
    await stage.compact()
  },

  async 'retention by time'(stage) {
    await stage.open()
    await stage.create(agedTopic)
    await stage.append(agedTopic, 9)
    await stage.wait(61_000)
    await stage.append(agedTopic, 6)
    await stage.wait(61_000)
    await stage.wait(61_000)
    await stage.close()
    await stage.open()
    await stage.append(agedTopic, 2)
  },

  async 'snapshots of producers'(stage) {
    await stage.open()
    await stage.create('t')
    await stage.append('t', 8)
    await stage.wait(1_000)
    await stage.append('t', 8)
    await stage.deleteBefore('t', 30)
    await stage.wait(61_000)
    await stage.close()
    await stage.open()
    await stage.append('t', 1)
  },

  async 'the registry'(stage) {
    await stage.open()
    for (const topic of ['a', 'b', compactedTopic, agedTopic]) await stage.create(topic)
    await stage.allocateProducerIds()
    await stage.close()
    await stage.open()
    for (const topic of ['c', 'd']) await stage.create(topic)
    await stage.allocateProducerIds()
    await stage.append('a', 1)
  },

  async 'groups, kept and compacted'(stage) {
    await stage.open()
    for (let i = 1; i <= 8; i++) {
      await stage.groups.commit('g', i)
      await stage.groups.commit(`g${i % 2}`, i)
      await stage.groups.keep('members', i)
    }
    await stage.groups.remove('members')
    await stage.groups.forgetOffsets('g1')
    await stage.compact()
    await stage.groups.keep('members', 9)
    await stage.close()
    await stage.open()
    for (let i = 1; i <= 6; i++) await stage.groups.commit('g', 10 + i)
    await stage.compact()
    await stage.wait(120_000)
  },

  async transactions(stage) {
    const { transactions } = stage
    await stage.open()
    for (const topic of ['x', 'y']) await stage.create(topic)
    await transactions.begin('a')
    await transactions.begin('b')
    await transactions.send('a', 'x', 2)
    await transactions.send('b', 'x', 1)
    await transactions.send('a', 'y', 1)
    await transactions.commitOffset('a', 1)
    await transactions.end('a', 'commit')
    await transactions.send('b', 'y', 2)
    await transactions.commitOffset('b', 1)
    await transactions.end('b', 'abort')
    await stage.wait(1_000)
    await transactions.begin('a')
    await transactions.send('a', 'x', 3)
    await transactions.commitOffset('a', 2)
    await transactions.begin('b')
    await transactions.send('b', 'y', 2)
    await transactions.end('b', 'commit')
  },

  async 'transactions over a restart'(stage) {
    const { transactions } = stage
    await stage.open()
    await stage.create('x')
    await transactions.begin('a')
    await transactions.send('a', 'x', 6)
    await transactions.begin('b')
    await transactions.send('b', 'x', 6)
    await transactions.end('b', 'abort')
    await stage.close()
    await stage.open()
    await transactions.send('a', 'x', 6)
    await transactions.commitOffset('a', 1)
    await transactions.end('a', 'commit')
    await transactions.begin('a')
    await transactions.send('a', 'x', 1)
    transactions.abandon('a')
    await transactions.begin('a')
    await transactions.send('a', 'x', 1)
    await transactions.end('a', 'commit')
    await stage.close()
  },

  async 'transactions, compacted'(stage) {
    const { transactions } = stage
    await stage.open()
    await stage.create(compactedTopic)
    for (let i = 0; i < 6; i++) {
      await transactions.begin('a')
      await transactions.send('a', compactedTopic, 5)
      await transactions.commitOffset('a', i)
      await transactions.end('a', i % 3 === 1 ? 'abort' : 'commit')
    }
    await stage.wait(1_000)
    await stage.compact()
    await transactions.begin('a')
    await transactions.send('a', compactedTopic, 5)
    await transactions.end('a', 'abort')
    await stage.close()
    await stage.open()
    await stage.compact()
    await transactions.begin('a')
    await transactions.send('a', compactedTopic, 2)
    await transactions.end('a', 'commit')
  },
}
