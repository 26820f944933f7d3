import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../source-files.ts'
import { interopDirectory } from '../apache-jars.ts'
import { answers, runProgram } from '../program.ts'
import type { Peer } from './peer.ts'

/** confluent-kafka (Python, with the librdkafka in its wheel). The checks themselves are in Python. */

const directory = join(root, 'test/interop/python')
const installTimeoutMs = 10 * 60_000

let python = ''

export const confluentKafka: Peer = {
  name: 'confluent-kafka',
  prepare: async () => {
    if (!answers('python3', ['-m', 'venv', '-h'])) return 'there is no Python with venv on the path'
    python = await environment()
    return undefined
  },
  checks: () =>
    [
      ['codecs', 'produces and consumes with every codec'],
      ['groups', 'static members share a topic, by every strategy'],
      ['transactions', 'moves records in transactions, some of them aborted'],
      ['fencing', 'a producer of the same transactional id fences the one before'],
      ['offsets', 'watermarks, offsets by time, commits, deletion of records'],
      ['administration', 'administers topics, groups and configurations'],
    ].map(([name = '', what = '']) => ({
      what,
      run: async ({ bootstrapServers }) => {
        await runProgram(python, [join(directory, 'confluent_peer.py'), bootstrapServers, name])
        return undefined
      },
    })),
}

/** The interpreter of a virtual environment with what requirements.txt names. */
async function environment(): Promise<string> {
  const home = join(interopDirectory, 'python')
  const interpreter = (at: string) => join(at, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python')
  if (existsSync(join(home, 'installed'))) return interpreter(home)
  rmSync(home, { recursive: true, force: true })
  await runProgram('python3', ['-m', 'venv', home])
  const words = ['-m', 'pip', 'install', '--quiet', '--requirement', join(directory, 'requirements.txt')]
  await runProgram(interpreter(home), words, { timeoutMs: installTimeoutMs })
  await runProgram(interpreter(home), ['-c', `open(r'${join(home, 'installed')}', 'w').close()`])
  return interpreter(home)
}
