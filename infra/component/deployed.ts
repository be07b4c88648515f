import { getWorkersScripts } from '@pulumi/cloudflare/getWorkersScripts.js'
import { Config, type Resource, runtime } from '@pulumi/pulumi'
import { RunError } from '@pulumi/pulumi/errors.js'
import { z } from 'zod'
import type { DeployedScript } from './migrations.ts'
import type { Release } from './release.ts'

/** The provider's default. */
const API = 'https://api.cloudflare.com/client/v4'

const Registered = z.object({
  state: z.object({ release: z.custom<Partial<Release>>(isRelease), scriptName: z.string() }),
})
type Registered = z.infer<typeof Registered>['state']
const Subdomain = z.object({ result: z.object({ subdomain: z.string() }) })

/**
 * Reads the record of the last successful `up`; undefined before the first. The engine gives a component that it has
 * just registered the outputs of the last run, until the component registers new ones. Stacks of the releases before
 * the component have the record in the outputs of the stack. A program may export the record of one component beside
 * another, so the outputs count only if they name the same script.
 */
export async function readRelease(
  component: Resource,
  scriptName: string,
): Promise<Partial<Release> | undefined> {
  const own = await readRegistered(component)
  if (own) return own.release
  const stack = runtime.getStackResource()
  const former = stack && (await readRegistered(stack))
  return former?.scriptName === scriptName ? former.release : undefined
}

/** Reads the script as the account has it now; undefined if the account has no script of that name. */
export async function readDeployedScript(
  component: Resource,
  accountId: string,
  scriptName: string,
): Promise<DeployedScript | undefined> {
  const { results } = await getWorkersScripts({ accountId }, { parent: component })
  return results.find(({ id }) => id === scriptName)
}

/** Asks the account for its name on workers.dev, like `acme` in acme.workers.dev. No provider function does. */
export async function readSubdomain(accountId: string): Promise<string> {
  const config = new Config('cloudflare')
  const baseUrl = config.get('baseUrl') ?? process.env.CLOUDFLARE_BASE_URL ?? API
  const token = config.get('apiToken') ?? process.env.CLOUDFLARE_API_TOKEN
  const url = `${baseUrl.replace(/\/+$/, '')}/accounts/${accountId}/workers/subdomain`
  const reply: unknown = await fetch(url, { headers: { authorization: `Bearer ${token}` } })
    .then((response) => response.json())
    .catch(String)
  const { data } = Subdomain.safeParse(reply)
  if (data) return data.result.subdomain
  throw new RunError(
    `the account's name on workers.dev cannot be read: ${JSON.stringify(reply)}. Open Workers & Pages in the dashboard once if there is no name yet, or set workersDevSubdomain`,
  )
}

async function readRegistered(resource: Resource): Promise<Registered | undefined> {
  const urn = await new Promise<string>((resolve) => resource.urn.apply(resolve))
  const found: unknown = await runtime.invoke('pulumi:pulumi:getResource', { urn })
  return Registered.safeParse(found).data?.state
}

function isRelease(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'modifiedOn' in value
}
