"""What is deployed: CloudFormation built with troposphere, planned as data and applied in one place."""
