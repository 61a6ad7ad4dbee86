/** Every invariant that is judged, in the order of its number. */
import { freshFramesAreClean, secretsStayWithTheirOwner, victimIsUnharmed } from './information.ts';
import type { Invariant } from './invariant.ts';
import { callsAreSurvived, userModeIsPreempted } from './liveness.ts';
import {
  framesAreCounted,
  guardsAreUnmapped,
  kernelHalfIsSupervisor,
  kernelHalfIsTheSameEverywhere,
  leavesMapOwnFrames,
  sharedFramesAreReadOnly,
  tablesHaveOneParent,
  writableIsNotExecutable,
} from './page-tables.ts';
import {
  callsChangeThreeRegisters,
  protectionsStayOn,
  tablesOfTheCpuAreConstant,
  threadsFindTheirRegisters,
  userModeStartsClean,
} from './processor.ts';
import { changedEntriesAreInvalidated, pcidsAreNotShared } from './translations.ts';
import {
  kernelTouchesUserMemoryInOnePlace,
  userBytesAreFetchedOnce,
  userPointersStayInTheUserHalf,
  writesHonourPermissions,
} from './user-access.ts';

export const INVARIANTS: readonly Invariant[] = [
  leavesMapOwnFrames,
  tablesHaveOneParent,
  kernelHalfIsSupervisor,
  kernelHalfIsTheSameEverywhere,
  writableIsNotExecutable,
  sharedFramesAreReadOnly,
  framesAreCounted,
  changedEntriesAreInvalidated,
  pcidsAreNotShared,
  guardsAreUnmapped,
  freshFramesAreClean,
  userModeStartsClean,
  protectionsStayOn,
  kernelTouchesUserMemoryInOnePlace,
  tablesOfTheCpuAreConstant,
  threadsFindTheirRegisters,
  callsChangeThreeRegisters,
  secretsStayWithTheirOwner,
  victimIsUnharmed,
  userPointersStayInTheUserHalf,
  userBytesAreFetchedOnce,
  writesHonourPermissions,
  callsAreSurvived,
  userModeIsPreempted,
];
