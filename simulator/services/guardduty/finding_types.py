"""The types of findings that GuardDuty knows, with their default severity.

Source: Amazon GuardDuty user guide, GuardDuty active finding types. Where a type's severity varies, it is the default.
"""

from __future__ import annotations

LOW, MEDIUM, HIGH, CRITICAL = 2.0, 5.0, 8.0, 9.0

_TYPES = {
    LOW: """
        Discovery:IAMUser/AnomalousBehavior Policy:IAMUser/RootCredentialUsage
        Policy:IAMUser/ShortTermRootCredentialUsage Stealth:IAMUser/CloudTrailLoggingDisabled
        Stealth:IAMUser/PasswordPolicyChange
        Discovery:S3/AnomalousBehavior Policy:S3/AccountBlockPublicAccessDisabled
        Policy:S3/BucketBlockPublicAccessDisabled Stealth:S3/ServerAccessLoggingDisabled
        Impact:EC2/SuspiciousDomainRequest.Reputation
        Impact:EC2/WinRMBruteForce Recon:EC2/PortProbeUnprotectedPort UnauthorizedAccess:EC2/RDPBruteForce
        UnauthorizedAccess:EC2/SSHBruteForce
        Discovery:Kubernetes/AnomalousBehavior.PermissionChecked
        Execution:Kubernetes/AnomalousBehavior.WorkloadDeployed
        PrivilegeEscalation:Kubernetes/AnomalousBehavior.RoleCreated
        CredentialAccess:RDS/AnomalousBehavior.FailedLogin
        Discovery:Runtime/SuspiciousCommand Execution:Runtime/SuspiciousShellCreated
        Impact:Runtime/SuspiciousDomainRequest.Reputation
    """,
    MEDIUM: """
        CredentialAccess:IAMUser/AnomalousBehavior DefenseEvasion:IAMUser/AnomalousBehavior
        DefenseEvasion:IAMUser/BedrockLoggingDisabled InitialAccess:IAMUser/AnomalousBehavior
        PenTest:IAMUser/KaliLinux PenTest:IAMUser/ParrotLinux PenTest:IAMUser/PentooLinux
        Persistence:IAMUser/AnomalousBehavior PrivilegeEscalation:IAMUser/AnomalousBehavior
        Recon:IAMUser/MaliciousIPCaller Recon:IAMUser/MaliciousIPCaller.Custom Recon:IAMUser/TorIPCaller
        UnauthorizedAccess:IAMUser/ConsoleLoginSuccess.B UnauthorizedAccess:IAMUser/MaliciousIPCaller
        UnauthorizedAccess:IAMUser/MaliciousIPCaller.Custom UnauthorizedAccess:IAMUser/TorIPCaller
        Discovery:S3/TorIPCaller Impact:S3/AnomalousBehavior.Write PenTest:S3/KaliLinux PenTest:S3/ParrotLinux
        PenTest:S3/PentooLinux
        Backdoor:EC2/Spambot Behavior:EC2/NetworkPortUnusual Behavior:EC2/TrafficVolumeUnusual
        DefenseEvasion:EC2/UnusualDNSResolver DefenseEvasion:EC2/UnusualDoHActivity
        DefenseEvasion:EC2/UnusualDoTActivity Impact:EC2/AbusedDomainRequest.Reputation
        Impact:EC2/MaliciousDomainRequest.Custom Recon:EC2/Portscan Trojan:EC2/BlackholeTraffic
        Trojan:EC2/BlackholeTraffic!DNS Trojan:EC2/DropPoint Trojan:EC2/DropPoint!DNS
        UnauthorizedAccess:EC2/MaliciousIPCaller.Custom Execution:EC2/SuspiciousFile
        CredentialAccess:Kubernetes/AnomalousBehavior.SecretsAccessed
        Discovery:Kubernetes/MaliciousIPCaller Discovery:Kubernetes/MaliciousIPCaller.Custom
        Discovery:Kubernetes/SuccessfulAnonymousAccess Discovery:Kubernetes/TorIPCaller
        Execution:Kubernetes/AnomalousBehavior.ExecInPod Execution:Kubernetes/ExecInKubeSystemPod
        Execution:Kubernetes/SuspiciousFile Persistence:Kubernetes/ContainerWithSensitiveMount
        Persistence:Kubernetes/MaliciousIPCaller Persistence:Kubernetes/MaliciousIPCaller.Custom
        Persistence:Kubernetes/TorIPCaller Policy:Kubernetes/ExposedDashboard
        Policy:Kubernetes/KubeflowDashboardExposed
        PrivilegeEscalation:Kubernetes/AnomalousBehavior.RoleBindingCreated
        PrivilegeEscalation:Kubernetes/PrivilegedContainer
        Execution:Container/SuspiciousFile Execution:ECS/SuspiciousFile
        Trojan:Lambda/BlackholeTraffic Trojan:Lambda/DropPoint UnauthorizedAccess:Lambda/MaliciousIPCaller.Custom
        CredentialAccess:RDS/MaliciousIPCaller.FailedLogin CredentialAccess:RDS/TorIPCaller.FailedLogin
        Discovery:RDS/MaliciousIPCaller Discovery:RDS/TorIPCaller
        DefenseEvasion:Runtime/FilelessExecution DefenseEvasion:Runtime/ProcessInjection.Ptrace
        DefenseEvasion:Runtime/PtraceAntiDebugging DefenseEvasion:Runtime/SuspiciousCommand
        Execution:Runtime/NewBinaryExecuted Execution:Runtime/NewLibraryLoaded Execution:Runtime/SuspiciousCommand
        Execution:Runtime/SuspiciousTool Impact:Runtime/AbusedDomainRequest.Reputation
        Persistence:Runtime/SuspiciousCommand PrivilegeEscalation:Runtime/ContainerMountsHostDirectory
        PrivilegeEscalation:Runtime/DockerSocketAccessed PrivilegeEscalation:Runtime/ElevationToRoot
        PrivilegeEscalation:Runtime/SuspiciousCommand PrivilegeEscalation:Runtime/UserfaultfdUsage
        Trojan:Runtime/BlackholeTraffic Trojan:Runtime/BlackholeTraffic!DNS Trojan:Runtime/DropPoint
        Trojan:Runtime/DropPoint!DNS
    """,
    HIGH: """
        CredentialAccess:IAMUser/CompromisedCredentials Exfiltration:IAMUser/AnomalousBehavior
        Impact:IAMUser/AnomalousBehavior UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.InsideAWS
        UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS
        UnauthorizedAccess:IAMUser/ResourceCredentialExfiltration.OutsideAWS
        Discovery:S3/MaliciousIPCaller Discovery:S3/MaliciousIPCaller.Custom Exfiltration:S3/AnomalousBehavior
        Exfiltration:S3/MaliciousIPCaller Impact:S3/AnomalousBehavior.Delete Impact:S3/AnomalousBehavior.Permission
        Impact:S3/MaliciousIPCaller Policy:S3/BucketAnonymousAccessGranted Policy:S3/BucketPublicAccessGranted
        UnauthorizedAccess:S3/MaliciousIPCaller.Custom UnauthorizedAccess:S3/TorIPCaller Object:S3/MaliciousFile
        Backdoor:EC2/C&CActivity.B Backdoor:EC2/C&CActivity.B!DNS Backdoor:EC2/DenialOfService.Dns
        Backdoor:EC2/DenialOfService.Tcp Backdoor:EC2/DenialOfService.Udp
        Backdoor:EC2/DenialOfService.UdpOnTcpPorts Backdoor:EC2/DenialOfService.UnusualProtocol
        CryptoCurrency:EC2/BitcoinTool.B CryptoCurrency:EC2/BitcoinTool.B!DNS
        Impact:EC2/BitcoinDomainRequest.Reputation Impact:EC2/MaliciousDomainRequest.Reputation Impact:EC2/PortSweep
        Recon:EC2/PortProbeEMRUnprotectedPort Trojan:EC2/DGADomainRequest.B Trojan:EC2/DGADomainRequest.C!DNS
        Trojan:EC2/DNSDataExfiltration Trojan:EC2/DriveBySourceTraffic!DNS Trojan:EC2/PhishingDomainRequest!DNS
        UnauthorizedAccess:EC2/MetadataDNSRebind UnauthorizedAccess:EC2/TorClient UnauthorizedAccess:EC2/TorRelay
        Execution:EC2/MaliciousFile Execution:EC2/MaliciousFile!Snapshot Execution:EC2/MaliciousFile!AMI
        Execution:EC2/MaliciousFile!RecoveryPoint Execution:S3/MaliciousFile!RecoveryPoint
        CredentialAccess:Kubernetes/MaliciousIPCaller CredentialAccess:Kubernetes/MaliciousIPCaller.Custom
        CredentialAccess:Kubernetes/SuccessfulAnonymousAccess CredentialAccess:Kubernetes/TorIPCaller
        DefenseEvasion:Kubernetes/MaliciousIPCaller DefenseEvasion:Kubernetes/MaliciousIPCaller.Custom
        DefenseEvasion:Kubernetes/SuccessfulAnonymousAccess DefenseEvasion:Kubernetes/TorIPCaller
        Execution:Kubernetes/MaliciousFile Impact:Kubernetes/MaliciousIPCaller
        Impact:Kubernetes/MaliciousIPCaller.Custom Impact:Kubernetes/SuccessfulAnonymousAccess
        Impact:Kubernetes/TorIPCaller
        Persistence:Kubernetes/AnomalousBehavior.WorkloadDeployed!ContainerWithSensitiveMount
        Persistence:Kubernetes/SuccessfulAnonymousAccess Policy:Kubernetes/AdminAccessToDefaultServiceAccount
        Policy:Kubernetes/AnonymousAccessGranted
        PrivilegeEscalation:Kubernetes/AnomalousBehavior.WorkloadDeployed!PrivilegedContainer
        Execution:Container/MaliciousFile Execution:ECS/MaliciousFile
        Backdoor:Lambda/C&CActivity.B CryptoCurrency:Lambda/BitcoinTool.B UnauthorizedAccess:Lambda/TorClient
        UnauthorizedAccess:Lambda/TorRelay
        CredentialAccess:RDS/AnomalousBehavior.SuccessfulBruteForce
        CredentialAccess:RDS/AnomalousBehavior.SuccessfulLogin CredentialAccess:RDS/MaliciousIPCaller.SuccessfulLogin
        CredentialAccess:RDS/TorIPCaller.SuccessfulLogin
        Backdoor:Runtime/C&CActivity.B Backdoor:Runtime/C&CActivity.B!DNS CryptoCurrency:Runtime/BitcoinTool.B
        CryptoCurrency:Runtime/BitcoinTool.B!DNS DefenseEvasion:Runtime/KernelModuleLoaded
        DefenseEvasion:Runtime/ProcessInjection.Proc DefenseEvasion:Runtime/ProcessInjection.VirtualMemoryWrite
        Execution:Runtime/MaliciousFileExecuted Execution:Runtime/ReverseShell
        Impact:Runtime/BitcoinDomainRequest.Reputation Impact:Runtime/CryptoMinerExecuted
        Impact:Runtime/MaliciousDomainRequest.Reputation
        PrivilegeEscalation:Runtime/CGroupsReleaseAgentModified PrivilegeEscalation:Runtime/RuncContainerEscape
        Trojan:Runtime/DGADomainRequest.C!DNS Trojan:Runtime/DriveBySourceTraffic!DNS
        Trojan:Runtime/PhishingDomainRequest!DNS UnauthorizedAccess:Runtime/MetadataDNSRebind
        UnauthorizedAccess:Runtime/TorClient UnauthorizedAccess:Runtime/TorRelay
    """,
    CRITICAL: """
        AttackSequence:EC2/CompromisedInstanceGroup AttackSequence:ECS/CompromisedCluster
        AttackSequence:EKS/CompromisedCluster AttackSequence:IAM/CompromisedCredentials
        AttackSequence:S3/CompromisedData
    """,
}

SEVERITIES: dict[str, float] = {
    finding_type: severity for severity, types in _TYPES.items() for finding_type in types.split()
}
