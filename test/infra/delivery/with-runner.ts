import { afterAll, beforeAll, beforeEach } from 'vitest'
import { newStandIn } from '../../standin/stand-in.ts'
import { newRunner, type Runner } from './runner.ts'

/** Runs the deliveries of a test file. Each test has an API of its own. */
export let runner: Runner

beforeAll(async () => {
  runner = await newRunner()
})

beforeEach(async () => {
  runner.api = await newStandIn('a'.repeat(32))
})

afterAll(() => runner.close())
