import { describe, expect, it } from 'vitest'
import { type ConfigEdit, editConfig } from '../../../src/broker/config/config-edit.ts'

const settings: Readonly<Record<string, 'list' | 'long'>> = { policy: 'list', ms: 'long' }
const settingOf = (name: string) => {
  const type = settings[name]
  return type && { type, byDefault: 'delete' }
}

function edit(before: Record<string, string>, name: string, operation: ConfigEdit['operation'], value: string | null) {
  return editConfig(before, [{ name, operation, value }], settingOf)
}

describe('edits of settings', () => {
  it('set and delete', () => {
    expect(edit({ ms: '1' }, 'ms', 'SET', '2')).toEqual({ config: { ms: '2' } })
    expect(edit({ ms: '1', policy: 'a' }, 'ms', 'DELETE', null)).toEqual({ config: { policy: 'a' } })
    expect(edit({}, 'ms', 'DELETE', null)).toEqual({ config: {} })
  })

  it('add to lists what is not in them, and begin with what holds by default', () => {
    expect(edit({ policy: 'a' }, 'policy', 'APPEND', 'b,a,c')).toEqual({ config: { policy: 'a,b,c' } })
    expect(edit({}, 'policy', 'APPEND', 'compact')).toEqual({ config: { policy: 'delete,compact' } })
    expect(edit({ policy: '' }, 'policy', 'APPEND', 'a')).toEqual({ config: { policy: 'a' } })
  })

  it('take from lists what is in them', () => {
    expect(edit({ policy: 'a,b,c' }, 'policy', 'SUBTRACT', 'c,x,a')).toEqual({ config: { policy: 'b' } })
    expect(edit({}, 'policy', 'SUBTRACT', 'delete')).toEqual({ config: { policy: '' } })
  })

  it('do so with lists alone', () => {
    const problem = "Can't APPEND to key ms because its type is not LIST."
    expect(edit({ ms: '1' }, 'ms', 'APPEND', '2')).toEqual({ problem })
    expect(edit({}, 'other', 'SUBTRACT', '2')).toEqual({ problem: expect.stringContaining('key other') })
  })
})
