export {
  type Address,
  checkSetting,
  isLoopback,
  type Loaded,
  loadConfig,
  type Origin,
  parseAddress,
  readConfigFile,
  type Sources
} from './load.ts'
export { renderSettings } from './reference.ts'
export { type Config, keyOf, rowOf, type Setting, type SettingName, settingNames, settings, variableOf } from './settings.ts'
export { yaml } from './yaml.ts'
