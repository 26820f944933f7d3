import { SystemError, type SystemErrorCode } from './system-error.ts'

export type DiskOperation =
  | 'open'
  | 'list'
  | 'makeDirectory'
  | 'rename'
  | 'remove'
  | 'syncDirectory'
  | 'lock'
  | 'size'
  | 'read'
  | 'write'
  | 'truncate'
  | 'sync'

interface Fault {
  readonly operation: DiskOperation
  readonly code: SystemErrorCode
  skips: number
  count: number
}

/** The failures that were ordered from an in-memory disk. Those of one operation are served in the order they were ordered. */
export class DiskFaults {
  #isPoweredOff = false
  #callsUntilPowerOff = Number.POSITIVE_INFINITY
  readonly #faults: Fault[] = []

  add(operation: DiskOperation, code: SystemErrorCode, count: number, skips: number): void {
    this.#faults.push({ operation, code, count, skips })
  }

  powerOff(): void {
    this.#isPoweredOff = true
  }

  powerOffAfter(calls: number): void {
    this.#callsUntilPowerOff = calls
  }

  /** After a power loss nothing succeeds. */
  checkPower(operation: DiskOperation, path: string): void {
    this.#callsUntilPowerOff -= 1
    if (this.#callsUntilPowerOff < 0) this.#isPoweredOff = true
    if (this.#isPoweredOff) throw new SystemError('EIO', operation, path)
  }

  check(operation: DiskOperation, path: string): void {
    this.checkPower(operation, path)
    const failure = this.next(operation, path)
    if (failure !== undefined) throw failure
  }

  /** Takes the failure that was ordered for this call, if one was. */
  next(operation: DiskOperation, path: string): SystemError | undefined {
    return this.#faults.length === 0 ? undefined : this.#ordered(operation, path)
  }

  #ordered(operation: DiskOperation, path: string): SystemError | undefined {
    const at = this.#faults.findIndex((fault) => fault.operation === operation)
    const fault = this.#faults[at]
    if (fault === undefined) return undefined
    if (fault.skips > 0) {
      fault.skips -= 1
      return undefined
    }
    fault.count -= 1
    if (fault.count <= 0) this.#faults.splice(at, 1)
    return new SystemError(fault.code, operation, path)
  }
}
