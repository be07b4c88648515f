import { getWorkersScripts } from '@pulumi/cloudflare'
import { getOrganization, getProject, getStack, StackReference } from '@pulumi/pulumi'
import type { DeployedScript, Release } from './migrations.ts'

/**
 * Reads the output `release` of the last successful `up` of this stack; undefined before the first. Await it before
 * any resource is registered: the file back-end does not write its state atomically, so a read while other steps are
 * being saved can fail the run ("failed to load checkpoint: EOF").
 */
export async function readRelease(): Promise<Release | undefined> {
  const stack = new StackReference(`${getOrganization()}/${getProject()}/${getStack()}`)
  const { value, secretValue } = await stack.getOutputDetails('release')
  return secretValue ?? value
}

/** Reads the script as the account has it now; undefined if the account has no script of that name. */
export async function readDeployedScript(
  accountId: string,
  scriptName: string,
): Promise<DeployedScript | undefined> {
  const { results } = await getWorkersScripts({ accountId })
  return results.find(({ id }) => id === scriptName)
}
