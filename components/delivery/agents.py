"""A managed DevOps pool: agents on machines of Azure's in a subnet of ours, for what is closed to the outside.

Agents are made for one job and thrown away after it. They reach the environment's registry, vault and API server by
its network, and the internet by its egress. Azure makes the agent pool and its queue in the Azure DevOps project; the
queue is looked up afterwards, to open it to named pipelines only.

What it does not do: it makes no subnet, and its machines have no identity; a job is who its service connection is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pulumi import ComponentResource, Input, InvokeOutputOptions, Output, Resource, ResourceOptions
from pulumi_azure_native import devcenter, devopsinfrastructure
from pulumi_azuredevops import get_agent_queue_output

from components.access import grant
from components.delivery.authorization import authorize
from components.placement import Placement

SERVICE = "31687f79-5e43-4c1e-8c63-d9f4bff5cf8b"
"""Application id of DevOpsInfrastructure, whose object id differs between directories."""


@dataclass(frozen=True)
class ManagedAgentsArgs:
    place: Placement
    organization_url: str
    project_id: Input[str]
    project_name: Input[str]
    network_id: Input[str]
    subnet_id: Input[str]
    """Delegated to Microsoft.DevOpsInfrastructure/pools, with the maximum of agents and five more addresses."""
    service_principal_id: str
    """Object id of DevOpsInfrastructure (`SERVICE`) in the directory."""
    pipelines: Mapping[str, Input[int]]
    """Who may run on them: name to id."""
    vm_size: str = "Standard_D2ads_v5"
    image: str = "ubuntu-24.04/latest"
    """As Azure's list of well-known images names it."""
    maximum: int = 4
    """How many jobs run at a time."""


class ManagedAgents(ComponentResource):
    """One pool. `name` is what pipelines call it."""

    name: Output[str]
    queue_id: Output[int]

    def __init__(self, name: str, args: ManagedAgentsArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aks-cicd:delivery:ManagedAgents", name, None, opts)
        self._args = args
        pool = self._pool(after=self._grant())
        # Not before the pool stands: its id is unknown until then, while its name may be known.
        self.name = pool.id.apply(lambda id: id.rpartition("/")[2])
        queue = get_agent_queue_output(
            name=self.name, project_id=args.project_id, opts=InvokeOutputOptions(parent=self, depends_on=[pool])
        )
        self.queue_id = queue.apply(lambda found: int(found.id))
        authorize(
            "agents",
            "queue",
            queue.apply(lambda found: found.id),
            args.pipelines,
            project_id=args.project_id,
            parent=self,
        )
        self.register_outputs({"name": self.name})

    def _grant(self) -> list[Resource]:
        """Azure's service puts its machines into the subnet, and looks at the network for that."""
        args = self._args
        rights = {"agents-service-reads-network": "Reader", "agents-service-joins-network": "Network Contributor"}
        return [
            grant(purpose, role, to=args.service_principal_id, on=args.network_id, names=args.place.names, parent=self)
            for purpose, role in rights.items()
        ]

    def _pool(self, after: list[Resource]) -> devopsinfrastructure.Pool:
        args, place = self._args, self._args.place
        center = devcenter.DevCenter(
            "dev-center",
            dev_center_name=place.names.dev_center,
            resource_group_name=place.resource_group,
            location=place.location,
            tags=place.tags,
            opts=ResourceOptions(parent=self),
        )
        project = devcenter.Project(
            "dev-center-project",
            project_name=place.names.dev_center_project,
            dev_center_id=center.id,
            resource_group_name=place.resource_group,
            location=place.location,
            tags=place.tags,
            opts=ResourceOptions(parent=self),
        )
        return devopsinfrastructure.Pool(
            "agents",
            pool_name=place.names.agent_pool,
            resource_group_name=place.resource_group,
            location=place.location,
            tags=place.tags,
            maximum_concurrency=args.maximum,
            dev_center_project_resource_id=project.id,
            organization_profile=devopsinfrastructure.AzureDevOpsOrganizationProfileArgs(
                kind="AzureDevOps",
                organizations=[
                    devopsinfrastructure.OrganizationArgs(
                        url=args.organization_url,
                        projects=[args.project_name],
                        parallelism=args.maximum,
                        open_access=False,
                    )
                ],
                permission_profile=devopsinfrastructure.AzureDevOpsPermissionProfileArgs(kind="CreatorOnly"),
            ),
            agent_profile=devopsinfrastructure.StatelessAgentProfileArgs(kind="Stateless"),
            fabric_profile=devopsinfrastructure.VmssFabricProfileArgs(
                kind="Vmss",
                sku=devopsinfrastructure.DevOpsAzureSkuArgs(name=args.vm_size),
                images=[devopsinfrastructure.PoolImageArgs(well_known_image_name=args.image, buffer="*")],
                network_profile=devopsinfrastructure.NetworkProfileArgs(subnet_id=args.subnet_id),
                # Nobody signs in at the machines.
                os_profile=devopsinfrastructure.OsProfileArgs(logon_type="Service"),
            ),
            opts=ResourceOptions(parent=self, depends_on=after),
        )
