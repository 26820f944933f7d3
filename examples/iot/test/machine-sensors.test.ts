import { describe, expect, it } from 'vitest'
import {
  type Counters,
  diskTraffic,
  memoryUsedBytes,
  missingSensors,
  networkTraffic,
  readCounters,
  readingsBetween,
  unitOf,
} from '../machine-sensors.ts'

const diskstats = `   7       0 loop0 10 0 80 0 0 0 0 0 0 0 0
 259       0 nvme0n1 100 5 2000 30 200 7 6000 50 0 60 80 0 0 0 0
 259       1 nvme0n1p1 90 5 1900 30 190 7 5900 50 0 60 80
   8       0 sda 1 0 8 0 1 0 16 0 0 0 0
 253       0 dm-0 90 0 1900 0 190 0 5900 0 0 0 0
`

const netDev = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 999 1 0 0 0 0 0 0 999 1 0 0 0 0 0 0
  eth0: 1000 10 0 0 0 0 0 0 300 3 0 0 0 0 0 0
 wlan0:50 1 0 0 0 0 0 0 7 1 0 0 0 0 0 0
`

function counters(over: Partial<Counters>): Counters {
  return { cores: [{ busyMs: 0, totalMs: 0 }], memoryUsedBytes: 1, disk: undefined, network: undefined, ...over }
}

describe('what Linux shows', () => {
  it('counts whole disks once, in sectors of 512 bytes', () => {
    expect(diskTraffic(diskstats)).toEqual({ inBytes: 2_008 * 512, outBytes: 6_016 * 512 })
    expect(diskTraffic('')).toBeUndefined()
  })

  it('counts every network interface but the loopback', () => {
    expect(networkTraffic(netDev)).toEqual({ inBytes: 1_050, outBytes: 307 })
    expect(networkTraffic('    lo: 999 1 0 0 0 0 0 0 999 1 0 0 0 0 0 0')).toBeUndefined()
  })

  it('takes memory as used that programs could not have', () => {
    expect(memoryUsedBytes('MemTotal:  1000 kB\nMemFree:  10 kB\nMemAvailable:  400 kB\n')).toBe(600 * 1_024)
    expect(memoryUsedBytes('MemTotal:  1000 kB\n')).toBeUndefined()
  })
})

describe('readingsBetween', () => {
  it('turns counters into loads and rates', () => {
    const before = counters({ disk: { inBytes: 0, outBytes: 100 }, network: { inBytes: 5, outBytes: 5 } })
    const after = counters({
      cores: [{ busyMs: 30, totalMs: 120 }],
      memoryUsedBytes: 77,
      disk: { inBytes: 50, outBytes: 100 },
      network: { inBytes: 5, outBytes: 25 },
    })
    const readings = readingsBetween(before, after, 100, 1_234)
    expect(Object.fromEntries(readings.map(({ sensor, value }) => [sensor, value]))).toEqual({
      'cpu/0': 25,
      'memory/used': 77,
      'disk/read': 500,
      'disk/written': 0,
      'network/received': 0,
      'network/sent': 200,
    })
    expect(new Set(readings.map(({ timestamp }) => timestamp))).toEqual(new Set([1_234]))
  })

  it('leaves out what cannot be known: clocks that did not tick, counters that went back, disks that left', () => {
    const before = counters({ disk: { inBytes: 9, outBytes: 0 }, network: { inBytes: 0, outBytes: 0 } })
    const after = counters({ disk: { inBytes: 0, outBytes: 10 } })
    expect(readingsBetween(before, after, 100, 0).map(({ sensor }) => sensor)).toEqual(['memory/used', 'disk/written'])
  })
})

describe('this machine', () => {
  it('has cores and memory, and says what it does not show', () => {
    const now = readCounters()
    expect(now.cores.length).toBeGreaterThan(0)
    expect(now.memoryUsedBytes).toBeGreaterThan(0)
    expect(missingSensors(now) === undefined).toBe(now.disk !== undefined && now.network !== undefined)
    expect(missingSensors(counters({}))).toBe(
      'This system does not show disk traffic (/proc/diskstats), network traffic (/proc/net/dev).',
    )
  })

  it('gives only readings that have a unit', () => {
    const disk = { inBytes: 0, outBytes: 0 }
    const before = counters({ disk, network: disk })
    const after = counters({ cores: [{ busyMs: 1, totalMs: 2 }], disk, network: disk })
    for (const { sensor } of readingsBetween(before, after, 100, 0)) expect(unitOf(sensor), sensor).toBeDefined()
    expect(unitOf('nab/taxi')).toBeUndefined()
  })
})
