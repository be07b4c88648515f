// Runs the program against mocks that accept every resource and create none. Errors that would end the program go to
// standard error, one per line. A separate process, so that the doctor can end it in time.
import { runtime } from '@pulumi/pulumi'
import { ORGANIZATION } from '../local/engine/program.ts'

// The component works in promises: its mistakes arrive after the program has been read.
process.on('uncaughtException', (error: unknown) => {
  fail(error)
  process.exit()
})

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
  // Does not exit: the SDK would complain of resources that are still in flight.
  fail(error)
}

function fail(error: unknown): void {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
