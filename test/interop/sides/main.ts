import { apiOf } from '../../../src/broker/protocol/apis.ts'
import { apiVersions } from '../../../src/broker/protocol/messages/api-versions.ts'
import { apacheKafkaProblem } from '../apache-jars.ts'
import { startApacheKafka } from '../apache-kafka.ts'
import { startOwnBroker } from '../own-broker.ts'
import { type Difference, differencesOf } from './comparison.ts'
import { knownDifferences } from './differences.ts'
import type { Script } from './script.ts'
import { access } from './scripts/access.ts'
import { cluster } from './scripts/cluster.ts'
import { consumerGroups } from './scripts/consumer-groups.ts'
import { groups } from './scripts/groups.ts'
import { records } from './scripts/records.ts'
import { topics } from './scripts/topics.ts'
import { transactions } from './scripts/transactions.ts'
import { Side } from './side.ts'

/** The same requests to Apache Kafka and to us: offsets, error codes and records are the same, or the difference has its reason. */

const scripts: readonly Script[] = [topics, records, groups, consumerGroups, transactions, cluster, access]
const chosen = scripts.filter(({ name }) => process.argv.length < 3 || process.argv.includes(name))

const problem = apacheKafkaProblem()
if (problem !== undefined) {
  process.stdout.write(`skipped: ${problem}\n`)
  process.exit(0)
}
const unseen = new Set(knownDifferences.filter(({ script }) => chosen.some(({ name }) => name === script)))
let unexplained = 0
let steps = 0
const asked = new Set<string>()
let served: readonly number[] = []
for (const script of chosen) await runScript(script)
for (const { script, step, place } of unseen) process.stdout.write(`NOT SEEN  ${script}: ${step} ${place}\n`)
const failed = unexplained + unseen.size
const unasked = served.filter((key) => ![...asked].some((one) => one.startsWith(`${key}.`)))
if (chosen.length === scripts.length)
  process.stdout.write(`not asked: ${unasked.map((key) => apiOf(key)?.name ?? key).join(', ')}\n`)
process.stdout.write(`${steps} answers, ${asked.size} versions of APIs, ${unexplained} differences without a reason\n`)
process.exitCode = failed === 0 ? 0 : 1

async function runScript(script: Script): Promise<void> {
  const apache = await startApacheKafka({ settings: { 'auto.create.topics.enable': 'true' } })
  const own = await startOwnBroker({ settings: { 'group.initial.rebalance.delay.ms': '0' } })
  const sides = await Promise.all([own.bootstrapServers, apache.bootstrapServers].map((at) => Side.connect(at)))
  try {
    await Promise.all(sides.map((side) => script.run(side)))
    const [ours, theirs] = sides as [Side, Side]
    for (const name of ours.asked) asked.add(name)
    served = await servedBy(ours)
    steps += ours.steps.length
    report(script, differencesOf(ours.steps, theirs.steps))
  } finally {
    for (const side of sides) side.close()
    await Promise.all([own.stop(), apache.stop()])
  }
}

function report({ name }: Script, differences: readonly Difference[]): void {
  let explained = 0
  for (const { step, place, ours, theirs } of differences) {
    const known = knownDifferences.find((one) => one.script === name && one.step.test(step) && one.place.test(place))
    if (known !== undefined) {
      unseen.delete(known)
      explained += 1
      continue
    }
    unexplained += 1
    process.stdout.write(`NOT THE SAME  ${name}: ${step}\n  ${place}: ours ${ours}, Apache's ${theirs}\n`)
  }
  process.stdout.write(`${name}: ${explained} differences with a reason\n`)
}

/** The keys of the APIs that a broker says it has. */
async function servedBy(side: Side): Promise<number[]> {
  const client = { clientSoftwareName: 'interop', clientSoftwareVersion: '1' }
  const { apiKeys } = await side.until(apiVersions, 3, client, ({ errorCode }) => errorCode === 0)
  return apiKeys.map(({ apiKey }) => apiKey)
}
