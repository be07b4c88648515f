import { UserError } from '../cli/user-error.ts'
import { changeApi } from '../doctor/cloudflare-api.ts'
import type { Setup, Variables } from './setup.ts'

const NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/
const ONBOARDING = 'https://dash.cloudflare.com/?to=/:account/workers/onboarding'

/** How long the API may take. The time in which a person thinks does not count. */
const ANSWER_MS = 20_000

/** The API's code for a name that another account has. */
const TAKEN_CODE = 10031

/** Registers the account's name on workers.dev, which every Worker needs, also one that does not answer there. */
export async function chooseWorkersName({ account, person }: Setup): Promise<Variables> {
  if (!account) throw new UserError(`the account is unknown. Choose its workers.dev name at ${ONBOARDING}`)
  for (;;) {
    const name = await person.ask(
      'Which name should your account have on workers.dev? It is public, as in https://<service>.<name>.workers.dev:',
    )
    if (!name) throw new UserError(`the account has no workers.dev name. Choose one at ${ONBOARDING}`)
    if (!NAME.test(name)) {
      console.log(`"${name}" is not a name: use a-z, 0-9 and -, at most 63 characters`)
      continue
    }
    const api = { ...account.api, signal: AbortSignal.timeout(ANSWER_MS) }
    const answer = await changeApi(api, `accounts/${account.id}/workers/subdomain`, {
      method: 'PUT',
      body: { subdomain: name },
    })
    if (answer.kind === 'given') return {}
    if (!('code' in answer) || answer.code !== TAKEN_CODE)
      throw new UserError(`the name ${name} was refused (${answer.reason}). Choose one at ${ONBOARDING}`)
    console.log(`${name} belongs to another account: choose another name`)
  }
}
