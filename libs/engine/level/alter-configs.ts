/** AlterConfigs: what is named is set, and everything else that was set is unset. */
import type { alterConfigs } from '@assay/protocol'
import { alterEach, checkNamedOnce, givenValue, ownerOf } from './config-changes.ts'
import type { Handler } from './context.ts'

export const answerAlterConfigs: Handler<typeof alterConfigs> = async (level, { body }) => {
  const { validateOnly } = body
  const responses = await alterEach(body.resources, async resource => {
    const owner = ownerOf(level, resource)
    checkNamedOnce(owner, resource)
    const configs = new Map(resource.configs.map(({ name, value }) => owner.read(name, givenValue(name, value))))
    await owner.configure(() => configs, { validateOnly })
  })
  return { throttleTimeMs: 0, responses }
}
