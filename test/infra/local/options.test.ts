import { expect, test } from 'vitest'
import { readOptions } from '../../../infra/cli/options.ts'

function read(...args: string[]) {
  return readOptions(args, 'npm start', { port: '8787' })
}

test('has a default for every option', () => {
  expect(read()).toEqual({ stack: 'dev', config: {}, own: { port: '8787' } })
})

test('accepts each option, and any number of settings', () => {
  const args = ['--stack', 'prod', '--port', '1', '--config', 'a=1', '--config=b=x=y', '--config', 'c=']
  expect(read(...args)).toEqual({ stack: 'prod', config: { a: '1', b: 'x=y', c: '' }, own: { port: '1' } })
})

test.each([
  [['--prot', '1'], "Unknown option '--prot'. Usage: npm start"],
  [['extra'], "Unexpected argument 'extra'. Usage: npm start"],
  [['--port'], "Option '--port <value>' argument missing. Usage: npm start"],
  [['--config', 'x'], '--config is "x", expected key=value'],
  [['--config', '=x'], '--config is "=x", expected key=value'],
])('refuses %j in one line', (args, message) => {
  expect(() => read(...args)).toThrow(new RegExp(`^${message.replaceAll(/[.<>?]/g, '\\$&')}$`))
})
