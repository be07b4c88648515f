import { type AccountOptions, findAccount } from '../doctor/account.ts'
import { doctorDeadline } from '../doctor/examination.ts'
import { accountOptions } from '../doctor/stack-account.ts'
import { readStackFiles } from '../doctor/stack-file.ts'

/** The settings of a stack that concern its account, from its files and the environment. */
export function stackAccount(root: string, stack: string, env: NodeJS.ProcessEnv): AccountOptions {
  return { ...accountOptions(root, readStackFiles(root, stack).stack, env), signal: doctorDeadline(env) }
}

/** Adds the account of the token to the environment if nothing names the account. */
export async function withAccount(
  root: string,
  stack: string,
  env: NodeJS.ProcessEnv,
): Promise<NodeJS.ProcessEnv> {
  const options = stackAccount(root, stack, env)
  const id = options.accountId ? undefined : await findAccount(options)
  return id ? { ...env, CLOUDFLARE_ACCOUNT_ID: id } : env
}
