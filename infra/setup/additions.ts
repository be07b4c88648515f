import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { passphraseFile } from '../cli/back-end.ts'
import { writePrivate } from '../cli/private-file.ts'
import { pinnedVersion, requirePulumi } from '../cli/pulumi-cli.ts'
import { UserError } from '../cli/user-error.ts'
import type { Missing, MissingThing } from '../doctor/finding.ts'
import type { Setup, Variables } from './setup.ts'
import { chooseWorkersName } from './workers-name.ts'

/** One step for each thing that a first deployment may lack. Each asks before it adds the thing. */
const STEPS: Readonly<Record<MissingThing, (setup: Setup) => Promise<Variables>>> = {
  'Pulumi CLI': fetchCli,
  state: chooseBackend,
  passphrase: writePassphrase,
  stack: createStack,
  'workers.dev name': chooseWorkersName,
}

/** Adds a missing thing after asking. Returns the environment of the commands that follow. */
export async function add({ thing, remedy }: Missing, setup: Setup): Promise<NodeJS.ProcessEnv> {
  const variables = await STEPS[thing](setup).catch((error: unknown) => {
    if (error instanceof Declined) throw new UserError(`${setup.stack} was not deployed. ${remedy}`)
    throw error
  })
  return { ...setup.env, ...variables }
}

/** The person did not agree. */
class Declined extends Error {}

async function agree({ person }: Setup, question: string): Promise<void> {
  if (!(await person.confirm(question))) throw new Declined()
}

async function fetchCli(setup: Setup): Promise<Variables> {
  const { root, env } = setup
  await agree(
    setup,
    `Fetch the Pulumi CLI ${pinnedVersion(root, env)} from get.pulumi.com (about 100 MB, once)?`,
  )
  run(join(root, 'node_modules/.bin/pulumi'), ['version'], setup)
  return {}
}

const BACKENDS = `Where should the state of your stacks be kept? It lists what is deployed and holds the encrypted secrets.
Without it, the stack can no longer be changed.
  1  on this machine, in ~/.pulumi: only this machine can deploy, and you back it up
  2  in an R2 bucket of your Cloudflare account: every machine with the token and the passphrase can deploy
  3  with Pulumi Cloud, an account at app.pulumi.com that also keeps the key`

async function chooseBackend(setup: Setup): Promise<Variables> {
  const { root, env, person } = setup
  const cli = requirePulumi(root, env)
  console.log(BACKENDS)
  const choice = (await person.ask('1, 2 or 3? [1]')) || '1'
  if (choice === '2') throw new UserError('for R2 run: eval "$(npm run --silent state:r2)" && npm run deploy')
  if (choice !== '1' && choice !== '3') throw new UserError(`the choice is 1, 2 or 3, not "${choice}"`)
  run(cli.path, ['login', ...(choice === '1' ? ['--local'] : [])], { ...setup, env: cli.env })
  return {}
}

async function writePassphrase(setup: Setup): Promise<Variables> {
  const file = passphraseFile(setup.env)
  if (existsSync(file))
    throw new UserError(
      `${file} exists, and may hold the only passphrase of another stack. Use it: export PULUMI_CONFIG_PASSPHRASE_FILE=${file}. For another passphrase, export the path of a new file`,
    )
  await agree(
    setup,
    `The state encrypts the secrets of the stack with a passphrase. Write a new random one to ${file}?`,
  )
  writePrivate(file, `${randomBytes(32).toString('base64url')}\n`)
  console.log(`The passphrase is in ${file}, which only you can read. Copy it into your password manager now:
who loses it can no longer deploy the stack or change its keys. The service runs on, so back it up then.
The commands of later shells need:
  export PULUMI_CONFIG_PASSPHRASE_FILE=${file}`)
  return { PULUMI_CONFIG_PASSPHRASE_FILE: file }
}

async function createStack(setup: Setup): Promise<Variables> {
  const { root, stack, env } = setup
  await agree(setup, `Create the stack ${stack} in the state?`)
  const cli = requirePulumi(root, env)
  run(cli.path, ['stack', 'init', stack, '--non-interactive'], { ...setup, env: cli.env })
  console.log(`Commit Pulumi.${stack}.yaml if it has a new line encryptionsalt: the salt is no secret, but the passphrase opens
nothing without it, and a rollback needs deployments from a clean tree.`)
  return {}
}

function run(file: string, args: readonly string[], { root, env }: Setup): void {
  const { status, error } = spawnSync(file, args, { cwd: root, env, stdio: 'inherit' })
  if (status === 0) return
  throw new UserError(
    `pulumi ${args.join(' ')} failed: ${error?.message ?? 'see above'}. The earlier steps are done. Run npm run deploy again once the reason is gone, such as a network without get.pulumi.com`,
  )
}
