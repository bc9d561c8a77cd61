# terraform test: what the plan is, without an account and without a cloud.

mock_provider "aws" {
  mock_data "aws_availability_zones" {
    defaults = { names = ["ap-northeast-2a"] }
  }

  # Known beforehand, so that a plan shows what is made of it; nothing is applied, for the disk refuses to go again.
  mock_resource "aws_ebs_volume" {
    override_during = plan
    defaults        = { id = "vol-0a1b2c3d4e5f60718" }
  }
}

variables {
  ssh_cidr       = "203.0.113.7/32"
  ssh_public_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHUpIHUpIHUpIHUpIHUpIHUpIHUpIHUpIHUpIHUpIHUp me@home"
}

run "lets_nothing_in_but_ssh" {
  command = plan

  assert {
    condition = (
      aws_vpc_security_group_ingress_rule.ssh.from_port == 22 &&
      aws_vpc_security_group_ingress_rule.ssh.to_port == 22 &&
      aws_vpc_security_group_ingress_rule.ssh.ip_protocol == "tcp" &&
      aws_vpc_security_group_ingress_rule.ssh.cidr_ipv4 == "203.0.113.7/32"
    )
    error_message = "ssh from the range that was given, and nothing else"
  }
}

run "encrypts_disks_and_asks_for_tokens" {
  command = plan

  assert {
    condition     = aws_ebs_volume.data.encrypted && aws_instance.observer.root_block_device[0].encrypted
    error_message = "both disks are encrypted"
  }

  assert {
    condition     = aws_instance.observer.metadata_options[0].http_tokens == "required"
    error_message = "the machine's own data is asked for with a token (IMDSv2)"
  }
}

run "refuses_the_whole_internet" {
  command = plan
  variables {
    ssh_cidr = "0.0.0.0/0"
  }
  expect_failures = [var.ssh_cidr]
}

run "refuses_a_release_without_its_sum" {
  command = plan
  variables {
    release_url = "https://example.com/observer-0.1.0.tar.gz"
  }
  expect_failures = [var.release_sha256]
}

run "refuses_a_name_that_is_no_node" {
  command = plan
  variables {
    name = "Observer 1"
  }
  expect_failures = [var.name]
}

run "gives_cloud_init_the_release_and_the_disk" {
  command = plan
  variables {
    release_url    = "https://example.com/observer-0.1.0.tar.gz"
    release_sha256 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
  }

  assert {
    condition     = strcontains(output.user_data, "RELEASE_URL='https://example.com/observer-0.1.0.tar.gz'")
    error_message = "the release's address is in the user data"
  }

  assert {
    condition     = strcontains(output.user_data, "DATA_VOLUME='vol0a1b2c3d4e5f60718'")
    error_message = "the disk is named as the machine names it"
  }
}
