//! The machine that all VMs share: time, language, power, firmware, errors.

use crate::call::{Group, groups};

/// Sorted by channel.
pub(in crate::calls) const GROUPS: &[Group] = groups! {
    Settings Other Denied Hooked "changes a setting of the user or the machine" {
        NtSetDefaultLocale NtSetDefaultUILanguage NtFlushInstallUILanguage
    }
    Settings None NoIpc Settled "reads a setting of the machine that programs do not send by" {
        NtQueryDefaultLocale NtQueryDefaultUILanguage NtQueryInstallUILanguage NtIsUILanguageComitted
        NtGetMUIRegistryInfo
    }
    Settings Name Pass Settled "maps or reads tables of the system, which no program can write, by a number or a name" {
        NtGetNlsSectionPtr NtInitializeNlsFiles NtMapCMFModule NtQueryLicenseValue NtQuerySecurityPolicy
    }
    Machine Other Denied Hooked "acts on the whole machine; most need rights that a plain user lacks" {
        NtShutdownSystem NtInitiatePowerAction NtSetSystemPowerState NtSerializeBoot
        NtEnableLastKnownGood NtDisableLastKnownGood NtSetSystemTime NtSetUuidSeed NtSetIntervalProfile
        NtSetSystemInformation NtSystemDebugControl NtSetDebugFilterState NtDisplayString NtDrawText
        NtDirectGraphicsCall
    }
    Machine Other Denied Hooked "sets power policy, which is the user's; figures are read, and a request to stay awake passes" {
        NtPowerInformation
    }
    Machine Other Pass Settled "a wish that the machine tick faster or stay awake, which ends with the process" {
        NtSetTimerResolution NtSetThreadExecutionState
    }
    Machine Name Denied Hooked "reads or writes variables of the firmware and the boot loader; needs SeSystemEnvironmentPrivilege" {
        NtQuerySystemEnvironmentValue NtQuerySystemEnvironmentValueEx NtSetSystemEnvironmentValue
        NtSetSystemEnvironmentValueEx NtEnumerateSystemEnvironmentValuesEx
        NtAddBootEntry NtDeleteBootEntry NtModifyBootEntry NtEnumerateBootEntries NtQueryBootEntryOrder
        NtSetBootEntryOrder NtQueryBootOptions NtSetBootOptions NtFilterBootOption
        NtAddDriverEntry NtDeleteDriverEntry NtModifyDriverEntry NtEnumerateDriverEntries
        NtQueryDriverEntryOrder NtSetDriverEntryOrder NtTranslateFilePath
    }
    Machine Other Denied Hooked "would show a message by the host's error port; answered as where messages are switched off" {
        NtRaiseHardError
    }
    Machine Other Denied Hooked "changes the machine's cache of compatibility data; looking up passes" {
        NtApphelpCacheControl
    }
    Machine Other Pass Settled "takes the next number of a counter of the machine: tells only how fast it moves" {
        NtAllocateLocallyUniqueId NtAllocateUuids
    }
    Local None NoIpc Settled "reads a clock or counter of the machine" {
        NtQueryPerformanceCounter NtQuerySystemTime NtQueryTimerResolution NtQueryAuxiliaryCounterFrequency
        NtConvertBetweenAuxiliaryCounterAndPerformanceCounter NtQueryIntervalProfile
        NtQueryDebugFilterState NtIsSystemResumeAutomatic
    }
};
