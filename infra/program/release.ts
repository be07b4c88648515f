import { getWorkersScripts } from '@pulumi/cloudflare'
import { getOrganization, getProject, getStack, StackReference } from '@pulumi/pulumi'
import type { DeployedScript, Release } from './migrations.ts'

/**
 * What the last good `up` of this stack left behind in its output `release`; undefined before the first.
 * Await it before any resource is registered: the file back-end does not write its state atomically, and
 * a read while other steps are being saved can fail the run ("failed to load checkpoint: EOF").
 */
export async function readRelease(): Promise<Release | undefined> {
  const stack = new StackReference(`${getOrganization()}/${getProject()}/${getStack()}`)
  const { value, secretValue } = await stack.getOutputDetails('release')
  return secretValue ?? value
}

/** The script as the account has it now; undefined if it has none of that name. */
export async function readDeployedScript(
  accountId: string,
  scriptName: string,
): Promise<DeployedScript | undefined> {
  const { results } = await getWorkersScripts({ accountId })
  return results.find(({ id }) => id === scriptName)
}
