export {
  type Begun,
  Emergencies,
  type EmergencyRefusal,
  isEntitled,
  REASON_LENGTH,
  type Reviewed,
  type Reviewer,
  type ShownEmergency,
} from './emergencies.ts';
export { EmergencyIndex } from './index-of-emergencies.ts';
export { broadened } from './principal.ts';
