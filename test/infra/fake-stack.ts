import { type AccountOptions, examineAccount } from '../../infra/doctor/account.ts'
import { ACCOUNT, TOKEN } from './fake-api.ts'
import { linesOf } from './fake-cli.ts'

export type Facts = Partial<Omit<AccountOptions, 'signal' | 'baseUrl'>>

/** A stack without a hostname, with the token and the account of the fake API. */
const STACK: Omit<AccountOptions, 'signal' | 'baseUrl'> = {
  stack: 'dev',
  token: TOKEN,
  accountId: ACCOUNT,
  accountFile: undefined,
  hasGlobalKey: false,
  keepsStateInR2: false,
  hostname: undefined,
  zoneId: undefined,
  route: undefined,
  scriptName: 'sync-dev',
  workersDev: { isOn: false, setting: undefined },
}

/** Returns the lines that the doctor prints about the account, except those about what is right. */
export function account(baseUrl: string, facts: Facts = {}): Promise<readonly string[]> {
  return linesOf(examineAccount({ ...STACK, ...facts, baseUrl, signal: AbortSignal.timeout(10_000) }))
}

/** Returns the first line of the doctor about a token that never reaches an API. */
export async function verdictOn(token: string): Promise<string | undefined> {
  return (await account('http://127.0.0.1:9', { token }))[0]
}
