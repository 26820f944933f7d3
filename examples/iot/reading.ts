import type { Serde } from 'millrace'

/** The value of a reading in the log; the sensor is the record's key, the event time its timestamp. */
export interface Reading {
  readonly value: number
  /** Its place among all readings, from 0: tells a reading that is written twice from two equal readings. */
  readonly position: number
}

const readingBytes = 16

/** Two 64-bit floats. */
export const readingSerde: Serde<Reading> = {
  name: 'reading',
  write(reading, out) {
    out.writeFloat64(reading.value)
    out.writeFloat64(reading.position)
  },
  read(bytes, start, end) {
    if (end - start !== readingBytes) throw new Error(`a reading has ${readingBytes} bytes, not ${end - start}`)
    return { value: bytes.readDoubleBE(start), position: bytes.readDoubleBE(start + 8) }
  },
}
