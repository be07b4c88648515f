// Runs the program against mocks that accept every resource and create none. Errors that would end the program go to
// standard error, one per line. A separate process, so that the doctor can end it in time.
import { runtime } from '@pulumi/pulumi'
import { ORGANIZATION } from '../local/engine/program.ts'

const [project = '', stack = ''] = process.argv.slice(2)

await runtime.setMocks(
  {
    newResource: ({ name, inputs }) => ({ id: name, state: { ...inputs, outputs: {} } }),
    // The list of scripts, and the outputs of the last run.
    call: () => ({ results: [], state: {} }),
  },
  project,
  stack,
  true,
  ORGANIZATION,
)
try {
  await import('../index.ts')
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  // Sets the code without exiting: on an exit the SDK would complain of resources that are still in flight.
  process.exitCode = 1
}
