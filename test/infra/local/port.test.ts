import { expect, test } from 'vitest'
import { readPort } from '../../../infra/local/port.ts'

test.each([1, 8787, 65535])('accepts the port %i', (port) => {
  expect(readPort(String(port))).toBe(port)
})

test.each(['0', '65536', '-1', '80.5', '1e3', ' 80', ''])('refuses the port "%s"', (text) => {
  expect(() => readPort(text)).toThrow(`--port is "${text}", expected a number from 1 to 65535`)
})
