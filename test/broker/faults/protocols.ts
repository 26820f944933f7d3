import { compactedTopic, type Stage } from './stage.ts'

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
    await stage.commit('t')
    await stage.append('u', 2)
    await stage.append('t', 1)
    await stage.commit('t')
  },

  async 'clean shutdown and restart'(stage) {
    await stage.open()
    await stage.create('t')
    await stage.append('t', 5)
    await stage.close()
    await stage.open()
    await stage.append('t', 5)
    await stage.commit('t')
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
    await stage.commit('t')
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
}
