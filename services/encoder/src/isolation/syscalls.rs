//! Seccomp: the system calls that decoding, encoding and writing files need, seccomp(2). Every other one fails as one
//! that the kernel does not know, so that libraries fall back where they can.

use std::collections::BTreeMap;

use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};

use super::Grant;

/// Those that are harmless whatever their arguments.
const HARMLESS: &[libc::c_long] = &[
    // files that are open, or that Landlock lets be opened
    libc::SYS_close,
    libc::SYS_dup,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_fallocate,
    libc::SYS_fcntl,
    libc::SYS_fdatasync,
    libc::SYS_fstat,
    libc::SYS_fstatfs,
    libc::SYS_fsync,
    libc::SYS_ftruncate,
    libc::SYS_getcwd,
    libc::SYS_getdents64,
    libc::SYS_lseek,
    libc::SYS_mkdirat,
    libc::SYS_newfstatat,
    libc::SYS_openat,
    libc::SYS_ppoll,
    libc::SYS_pread64,
    libc::SYS_pwrite64,
    libc::SYS_read,
    libc::SYS_readlinkat,
    libc::SYS_readv,
    libc::SYS_renameat,
    libc::SYS_renameat2,
    libc::SYS_statfs,
    libc::SYS_statx,
    libc::SYS_umask,
    libc::SYS_unlinkat,
    libc::SYS_write,
    libc::SYS_writev,
    // memory
    libc::SYS_brk,
    libc::SYS_madvise,
    libc::SYS_mremap,
    libc::SYS_munmap,
    // threads
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_futex,
    libc::SYS_get_robust_list,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_membarrier,
    libc::SYS_restart_syscall,
    libc::SYS_rseq,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_yield,
    libc::SYS_set_robust_list,
    libc::SYS_set_tid_address,
    libc::SYS_sigaltstack,
    // the clock, chance, and what machine this is
    libc::SYS_clock_getres,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_getegid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getrandom,
    libc::SYS_getrusage,
    libc::SYS_gettimeofday,
    libc::SYS_getuid,
    libc::SYS_nanosleep,
    libc::SYS_sysinfo,
    libc::SYS_uname,
];

/// The older names of some of them, which newer processors have no more.
#[cfg(target_arch = "x86_64")]
const OLDER: &[libc::c_long] = &[
    libc::SYS_access,
    libc::SYS_lstat,
    libc::SYS_mkdir,
    libc::SYS_open,
    libc::SYS_poll,
    libc::SYS_readlink,
    libc::SYS_rename,
    libc::SYS_rmdir,
    libc::SYS_stat,
    libc::SYS_time,
    libc::SYS_unlink,
];
#[cfg(not(target_arch = "x86_64"))]
const OLDER: &[libc::c_long] = &[];

/// Gives up all others, for this thread and all that it will start.
pub(super) fn apply() -> Result<Grant, String> {
    let program = program().map_err(|error| error.to_string())?;
    seccompiler::apply_filter(&program).map_err(|error| error.to_string())?;
    Ok(Grant::Full)
}

fn program() -> Result<BpfProgram, Box<dyn std::error::Error>> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        HARMLESS.iter().chain(OLDER).map(|number| (*number, Vec::new())).collect();
    // a new thread, never a new process; `clone3`, whose arguments cannot be seen, makes way for it
    let thread = u64::try_from(libc::CLONE_VM | libc::CLONE_THREAD)?;
    rules.insert(libc::SYS_clone, rule(0, SeccompCmpArgLen::Qword, SeccompCmpOp::MaskedEq(thread), thread)?);
    // memory, but no code in it
    let code = u64::try_from(libc::PROT_EXEC)?;
    for number in [libc::SYS_mmap, libc::SYS_mprotect] {
        rules.insert(number, rule(2, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(code), 0)?);
    }
    // an end of itself, as `abort` makes it, of no other process
    let own = u64::from(std::process::id());
    rules.insert(libc::SYS_tgkill, rule(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, own)?);
    // a thread's name
    let name = u64::try_from(libc::PR_SET_NAME)?;
    rules.insert(libc::SYS_prctl, rule(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, name)?);
    // limits may be read, not set
    rules.insert(libc::SYS_prlimit64, rule(2, SeccompCmpArgLen::Qword, SeccompCmpOp::Eq, 0)?);
    let unknown = SeccompAction::Errno(u32::try_from(libc::ENOSYS)?);
    let architecture = TargetArch::try_from(std::env::consts::ARCH)?;
    Ok(SeccompFilter::new(rules, unknown, SeccompAction::Allow, architecture)?.try_into()?)
}

fn rule(
    argument: u8,
    length: SeccompCmpArgLen,
    compare: SeccompCmpOp,
    value: u64,
) -> Result<Vec<SeccompRule>, BackendError> {
    Ok(vec![SeccompRule::new(vec![SeccompCondition::new(argument, length, compare, value)?])?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_a_program() {
        assert!(program().unwrap().len() > HARMLESS.len());
    }

    #[test]
    fn nothing_leads_out() {
        let numbers: Vec<_> = HARMLESS.iter().chain(OLDER).collect();
        for number in [libc::SYS_socket, libc::SYS_execve, libc::SYS_clone3, libc::SYS_kill, libc::SYS_ptrace] {
            assert!(!numbers.contains(&&number), "{number}");
        }
    }
}
