<#
.SYNOPSIS
Registers the daily pull with the Task Scheduler. Run it once, as an administrator.

.DESCRIPTION
The task runs each day, wakes the machine, is made up for when it was missed, and runs whether somebody is logged on or
not; for that the Task Scheduler keeps the password that is asked for here. Registering again replaces the task.

.EXAMPLE
.\Register-ObserverBackup.ps1 -Source \\nas\observer -At 21:30
#>
[CmdletBinding()]
param(
  [Parameter(Mandatory = $true)][string]$Source,
  [string]$Destination = 'D:\observer_backup',
  [string]$At = '21:30',
  [string]$TaskName = 'Observer backup',
  [System.Management.Automation.PSCredential]$Credential
)
Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
$who = New-Object Security.Principal.WindowsPrincipal([Security.Principal.WindowsIdentity]::GetCurrent())
if (-not $who.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)) {
  Write-Host 'run this as an administrator: the task runs whether somebody is logged on or not'
  exit 64
}
if ("$Source$Destination" -match '"') {
  Write-Host 'a quotation mark cannot be in a path'
  exit 64
}
if ($null -eq $Credential) {
  $user = [Security.Principal.WindowsIdentity]::GetCurrent().Name
  $Credential = Get-Credential -UserName $user -Message 'The user the backup runs as; it needs a right to the share'
}
if (-not [System.Diagnostics.EventLog]::SourceExists('ObserverBackup')) {
  [System.Diagnostics.EventLog]::CreateEventSource('ObserverBackup', 'Application')
}
$script = Join-Path $PSScriptRoot 'Sync-ObserverBackup.ps1'
$arguments = '-NoProfile -NonInteractive -ExecutionPolicy Bypass -File "{0}" -Source "{1}" -Destination "{2}"' -f $script, $Source.TrimEnd('\'), $Destination.TrimEnd('\')
$action = New-ScheduledTaskAction -Execute 'powershell.exe' -Argument $arguments -WorkingDirectory $PSScriptRoot
$trigger = New-ScheduledTaskTrigger -Daily -At $At
$settings = New-ScheduledTaskSettingsSet -WakeToRun -StartWhenAvailable -RunOnlyIfNetworkAvailable -AllowStartIfOnBatteries `
  -DontStopIfGoingOnBatteries -MultipleInstances IgnoreNew -ExecutionTimeLimit (New-TimeSpan -Hours 12) `
  -RestartCount 3 -RestartInterval (New-TimeSpan -Minutes 30)
$password = $Credential.GetNetworkCredential().Password
Register-ScheduledTask -TaskName $TaskName -Action $action -Trigger $trigger -Settings $settings -Force `
  -User $Credential.UserName -Password $password | Out-Null
Write-Host "'$TaskName' runs each day at ${At}: $Source into $Destination"
Write-Host "try it now: Start-ScheduledTask -TaskName '$TaskName'"
exit 0
