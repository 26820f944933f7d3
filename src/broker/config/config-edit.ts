import type { ConfigTexts } from './broker-config.ts'
import type { ConfigType } from './config-kind.ts'

/** How IncrementalAlterConfigs changes a setting, by its numbers (org.apache.kafka.clients.admin.AlterConfigOp.OpType). */
export const configOperations = ['SET', 'DELETE', 'APPEND', 'SUBTRACT'] as const

export interface ConfigEdit {
  readonly name: string
  readonly operation: (typeof configOperations)[number]
  /** null where it is taken away. */
  readonly value: string | null
}

export interface EditedSetting {
  readonly type: ConfigType
  /** What a list that is not set is added to. */
  readonly byDefault: string
}

/**
 * The settings after some edits: a list's elements are added where they are not in it yet, and taken away one by one.
 * (Kafka: ConfigurationControlManager.incrementalAlterConfigResource.)
 *
 * @param settingOf the setting with a name; undefined where there is none
 */
export function editConfig(
  config: ConfigTexts,
  edits: readonly ConfigEdit[],
  settingOf: (name: string) => EditedSetting | undefined,
): { readonly config: ConfigTexts } | { readonly problem: string } {
  const edited = new Map(Object.entries(config))
  for (const { name, operation, value } of edits) {
    if (operation === 'DELETE' || value === null) edited.delete(name)
    else if (operation === 'SET') edited.set(name, value)
    else {
      const setting = settingOf(name)
      if (setting?.type !== 'list')
        return { problem: `Can't ${operation} to key ${name} because its type is not LIST.` }
      edited.set(name, editList(edited.get(name) ?? setting.byDefault, value, operation))
    }
  }
  return { config: Object.fromEntries(edited) }
}

function editList(text: string, change: string, operation: 'APPEND' | 'SUBTRACT'): string {
  const elements = text.split(',').filter((element) => element !== '')
  for (const element of change.split(',')) {
    const at = elements.indexOf(element)
    if (operation === 'APPEND' && at < 0) elements.push(element)
    if (operation === 'SUBTRACT' && at >= 0) elements.splice(at, 1)
  }
  return elements.join(',')
}
