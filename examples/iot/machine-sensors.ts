/** Readings of the machine that the program runs on: pure functions over what the system shows, and a sampler that keeps the last counters. */
import { readFileSync } from 'node:fs'
import { cpus, freemem, totalmem } from 'node:os'
import type { SensorReading } from './sensor-lines.ts'

export type Unit = 'percent' | 'bytes' | 'bytes/s' | 'ms'

/** Counters of everything since the machine was started. */
export interface Counters {
  readonly cores: readonly CoreTimes[]
  readonly memoryUsedBytes: number
  /** Undefined where the system does not show it. */
  readonly disk: Traffic | undefined
  readonly network: Traffic | undefined
}

export interface CoreTimes {
  readonly busyMs: number
  readonly totalMs: number
}

/** Bytes read and written, or received and sent. */
export interface Traffic {
  readonly inBytes: number
  readonly outBytes: number
}

/** Whole disks, so that what goes through a partition or a volume on top of them is not counted twice. */
const wholeDisk = /^(?:[shv]d[a-z]+|xvd[a-z]+\d*|nvme\d+n\d+|mmcblk\d+)$/
/** /proc/diskstats counts in sectors of this size, whatever the disk's own are (Documentation/admin-guide/iostats.rst). */
const sectorBytes = 512

/** The totals of /proc/diskstats; undefined where it names no disk. */
export function diskTraffic(diskstats: string): Traffic | undefined {
  let inBytes = 0
  let outBytes = 0
  let disks = 0
  for (const line of diskstats.split('\n')) {
    const fields = line.trim().split(/\s+/)
    if (fields.length < 10 || !wholeDisk.test(fields[2] as string)) continue
    disks++
    inBytes += Number(fields[5]) * sectorBytes
    outBytes += Number(fields[9]) * sectorBytes
  }
  return disks === 0 ? undefined : { inBytes, outBytes }
}

/** The totals of /proc/net/dev without the loopback interface; undefined where there is no other. */
export function networkTraffic(netDev: string): Traffic | undefined {
  let inBytes = 0
  let outBytes = 0
  let interfaces = 0
  for (const line of netDev.split('\n')) {
    const colon = line.indexOf(':')
    if (colon < 0 || line.slice(0, colon).trim() === 'lo') continue
    const fields = line
      .slice(colon + 1)
      .trim()
      .split(/\s+/)
    if (fields.length < 9) continue
    interfaces++
    inBytes += Number(fields[0])
    outBytes += Number(fields[8])
  }
  return interfaces === 0 ? undefined : { inBytes, outBytes }
}

/** Memory that programs hold, as /proc/meminfo has it: caches that can be given up are not counted. */
export function memoryUsedBytes(meminfo: string): number | undefined {
  const total = /^MemTotal:\s+(\d+) kB/m.exec(meminfo)
  const available = /^MemAvailable:\s+(\d+) kB/m.exec(meminfo)
  return total === null || available === null ? undefined : (Number(total[1]) - Number(available[1])) * 1_024
}

/** What happened from one look at the counters to the next. A counter that went back (a disk or interface left) gives nothing. */
export function readingsBetween(
  before: Counters,
  after: Counters,
  elapsedMs: number,
  timestamp: number,
): SensorReading[] {
  const readings: SensorReading[] = []
  const add = (sensor: string, value: number) => {
    if (Number.isFinite(value) && value >= 0) readings.push({ sensor, timestamp, value })
  }
  for (let core = 0; core < Math.min(before.cores.length, after.cores.length); core++) {
    const old = before.cores[core] as CoreTimes
    const now = after.cores[core] as CoreTimes
    add(`cpu/${core}`, Math.min(100, ((now.busyMs - old.busyMs) / (now.totalMs - old.totalMs)) * 100))
  }
  add('memory/used', after.memoryUsedBytes)
  const addTraffic = (old: Traffic | undefined, now: Traffic | undefined, inName: string, outName: string) => {
    if (old === undefined || now === undefined) return
    add(inName, ((now.inBytes - old.inBytes) / elapsedMs) * 1_000)
    add(outName, ((now.outBytes - old.outBytes) / elapsedMs) * 1_000)
  }
  addTraffic(before.disk, after.disk, 'disk/read', 'disk/written')
  addTraffic(before.network, after.network, 'network/received', 'network/sent')
  return readings
}

export function unitOf(sensor: string): Unit | undefined {
  if (sensor.startsWith('cpu/')) return 'percent'
  if (sensor === 'memory/used') return 'bytes'
  if (sensor.startsWith('disk/') || sensor.startsWith('network/')) return 'bytes/s'
  return sensor === 'process/event-loop-delay' ? 'ms' : undefined
}

/** What of the readings this system does not give, as a sentence; undefined where nothing is missing. */
export function missingSensors(counters: Counters): string | undefined {
  const missing = [
    ...(counters.cores.length === 0 ? ['the load of the cores'] : []),
    ...(counters.disk === undefined ? ['disk traffic (/proc/diskstats)'] : []),
    ...(counters.network === undefined ? ['network traffic (/proc/net/dev)'] : []),
  ]
  return missing.length === 0 ? undefined : `This system does not show ${missing.join(', ')}.`
}

export function readCounters(): Counters {
  return {
    cores: cpus().map(({ times }) => {
      const busyMs = times.user + times.nice + times.sys + times.irq
      return { busyMs, totalMs: busyMs + times.idle }
    }),
    memoryUsedBytes: optional('/proc/meminfo', memoryUsedBytes) ?? totalmem() - freemem(),
    disk: optional('/proc/diskstats', diskTraffic),
    network: optional('/proc/net/dev', networkTraffic),
  }
}

function optional<T>(path: string, read: (text: string) => T | undefined): T | undefined {
  try {
    return read(readFileSync(path, 'utf8'))
  } catch {
    // Only Linux has these files, and a container may hide them; what is missing is said once at the start.
    return undefined
  }
}
