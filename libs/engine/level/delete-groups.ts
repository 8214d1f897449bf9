/** DeleteGroups: forgets groups without members, and their offsets. */
import { type deleteGroups, errorCode } from '@assay/protocol'
import type { Handler } from './context.ts'

export const answerDeleteGroups: Handler<typeof deleteGroups> = async (level, { body }) => {
  const results = await Promise.all(
    body.groupsNames.map(async groupId => ({
      groupId,
      errorCode: errorCode(await level.groups.remove(groupId)),
      errorMessage: null
    }))
  )
  return { throttleTimeMs: 0, results }
}
